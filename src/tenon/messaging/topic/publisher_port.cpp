#include <tenon/messaging/topic/publisher_port.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/membarrier.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace tenon {

namespace {

constexpr std::uint32_t short_messages_depth = 1024;
constexpr std::uint64_t long_messages_bytes = 4 << 20;
constexpr std::uint32_t most_entries = 1 << 30;
// Whether a chunk is taken again at once, while some of it is in a cache: where it is longer than what a second-level
// cache holds, and the ring itself does not go through more than a last-level cache does.
bool reuses_at_once(const PublisherHeader& header) noexcept {
  constexpr std::uint64_t second_level = 512 << 10;
  constexpr std::uint64_t last_level = 16 << 20;
  return header.chunk_bytes >= second_level && header.depth <= last_level / header.chunk_bytes;
}

std::uint32_t depth_of(const PublisherOptions& options, std::uint64_t message_bytes, bool in_chunks) noexcept {
  if (options.depth != 0 || !in_chunks) {
    return options.depth != 0 ? options.depth : short_messages_depth;
  }
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(long_messages_bytes / std::max<std::uint64_t>(message_bytes, 1), 4, 1024));
}

}  // namespace

Result<PublisherShape> shape_of(const PublisherOptions& options, std::uint64_t message_bytes, std::uint32_t entry_bytes,
                                bool in_chunks) {
  PublisherShape shape{.entry_bytes = entry_bytes, .depth = depth_of(options, message_bytes, in_chunks)};
  const std::uint64_t beside = std::uint64_t{options.max_loans} + options.held;
  if (shape.depth > most_entries || beside > most_entries) {
    return fail(Error(Errc::limit_reached)
                    .with({.name = "messages of a publisher",
                           .value = most_entries,
                           .wanted = std::max(shape.depth, beside),
                           .remedy = "ask for less depth, fewer loans, or less to be held"}));
  }
  shape.entries = std::bit_ceil(std::max(static_cast<std::uint32_t>(shape.depth), 2U));
  if (in_chunks) {
    // Those in the ring, those beside it, and as many that one look at the pins frees several.
    shape.chunks = shape.entries + static_cast<std::uint32_t>(beside) + shape.entries / 4 + 1;
    shape.chunk_bytes = (message_bytes + cache_line - 1) / cache_line * cache_line;
  }
  return shape;
}

template <std::size_t Words>
Result<std::unique_ptr<PublisherPort<Words>>> PublisherPort<Words>::create(const Holder& holder, std::string_view topic,
                                                                           const PublisherOptions& options,
                                                                           const PublisherShape& shape,
                                                                           const MessageType& type) {
  if (auto header = lay_out(shape, type); !header) {
    return fail(std::move(header.error()).on(topic));
  }
  return TopicFolder::enter(holder, topic).and_then([&](TopicFolder folder) {
    return create_at(std::move(folder), holder, options, shape, type, Token::random());
  });
}

template <std::size_t Words>
Result<std::unique_ptr<PublisherPort<Words>>> PublisherPort<Words>::create_at(TopicFolder folder, const Holder& holder,
                                                                              const PublisherOptions& options,
                                                                              const PublisherShape& shape,
                                                                              const MessageType& type, Token token) {
  auto made = lay_out(shape, type).and_then([&](const PublisherHeader& header) {
    return create_in(folder, holder, options, header, type, token);
  });
  if (!made) {
    folder.remove_if_empty();
  }
  return made;
}

template <std::size_t Words>
Result<std::unique_ptr<PublisherPort<Words>>> PublisherPort<Words>::create_in(TopicFolder& folder, const Holder& holder,
                                                                              const PublisherOptions& options,
                                                                              PublisherHeader header,
                                                                              const MessageType& type, Token token) {
  TopicCensus census(holder);
  if (auto prepared = census.prepare(folder, type); !prepared) {
    return fail(std::move(prepared.error()));
  }
  const EndpointName name{.kind = EndpointKind::publisher, .token = token, .life = holder.token()};
  const bool registered = register_for_barriers();
  const MessageClock clock = message_clock();
  const ClockPair pair = options.timestamps == Timestamps::none ? ClockPair{} : read_clock_pair(clock);
  header.head = head_of(name, header.head.type_at, header.head.type_bytes);
  header.fences = registered ? 0 : 1;
  header.timestamps = static_cast<std::uint32_t>(options.timestamps);
  header.clock = static_cast<std::uint32_t>(clock);
  header.clock_ticks = pair.ticks;
  header.clock_ns = pair.ns;
  auto file = folder.publish(name, header.file_bytes, [&](MutableBytes memory) {
    std::memcpy(memory.data(), &header, sizeof header);
    write_type(memory.subspan(header.head.type_at), type.description, type.fields);
    auto* const entries = reinterpret_cast<Entry*>(memory.data() + header.ring_at);
    Ring(std::span<Entry>(entries, header.entries)).initialise(header.first);
  });
  if (!file) {
    return fail(std::move(file.error()));
  }
  folder.admit();
  std::unique_ptr<PublisherPort> port(
      new PublisherPort(holder, options, header, std::move(folder), std::move(*file), name, registered));
  port->wake_subscribers();  // who waits learns that there is one more to wait for
  return port;
}

template <std::size_t Words>
PublisherPort<Words>::PublisherPort(const Holder& holder, const PublisherOptions& options,
                                    const PublisherHeader& header, TopicFolder folder, TopicFolder::File file,
                                    const EndpointName& name, bool registered)
    : options_(options),
      header_(header),
      holder_(holder),
      folder_(std::move(folder)),
      own_(std::move(file.memory)),
      census_(holder),
      writer_(Ring({reinterpret_cast<Entry*>(own_.data() + header.ring_at), header.entries}), header.first),
      bell_(&folder_.bell()),
      registered_(registered),
      must_fence_(!registered),
      fork_(ForkCount::begin()),
      roster_(folder_, census_, name.token, header.first, header.depth),
      pool_(header.chunks, reuses_at_once(header) ? ChunkOrder::newest_first : ChunkOrder::oldest_first),
      chunk_in_entry_(header.chunks == 0 ? 0 : header.entries) {}

template <std::size_t Words>
PublisherPort<Words>::~PublisherPort() {
  [[maybe_unused]] const auto dropped = close();
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::close() {
  if (closed_ || !is_of_this_process()) {
    return closed_ ? Result<void>() : fail(Errc::in_child);
  }
  closed_ = true;
  state().closed.store(1, std::memory_order_release);  // T1
  fence_before_ringing(bell_->messages.word());        // B1
  wake_subscribers();
  roster_.clear();
  // Its file stays for those who have not received all of it.
  census_.sweep(folder_);
  folder_.remove_if_empty();
  return {};
}

template <std::size_t Words>
void PublisherPort<Words>::wake_subscribers() noexcept {
  const std::uint32_t told = bell_->messages.silence();
  futex_wake_all(bell_->messages.word());
  try {
    roster_.ring(told);
  } catch (const std::bad_alloc&) {
    // The message is sent; who was not rung hears its own clock.
  }
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::check_usable() const {
  expects(!closed_, "a publisher that was closed publishes nothing");
  return is_of_this_process() ? Result<void>() : fail(Error(Errc::in_child).on(folder_.topic()));
}

template <std::size_t Words>
Result<std::uint32_t> PublisherPort<Words>::take_chunk() {
  if (auto usable = check_usable(); !usable) {
    return fail(std::move(usable.error()));
  }
  const bool eager = reuses_at_once(header_);
  if (eager) {
    withdraw();
  }
  if (pool_.free() == 0 || eager) {
    reclaim();
  }
  if (pool_.free() == 0) {
    roster_.drop_the_dead(true);
    reclaim();
  }
  const auto taken = pool_.take();
  if (!taken && roster_.blind()) {
    return fail(Error(*roster_.blind()));
  }
  return taken ? Result<std::uint32_t>(*taken) : fail(all_held());
}

// Takes back what lies so far behind that the next message need not leave it there, so that its chunk may become that
// one's. The last message, at a depth of one, only when all have received it: who is not waited for would else have it
// for no longer than until the next loan.
template <std::size_t Words>
void PublisherPort<Words>::withdraw() {
  if (!writer_.may_publish()) {
    scan();
  }
  if (!writer_.may_publish()) {
    return;
  }
  const std::uint64_t keeps = header_.depth > 1 || roster_.all_have_received(writer_.next()) ? header_.depth : 2;
  for (std::uint64_t ahead = 0; ahead <= header_.entries - keeps; ++ahead) {
    std::uint32_t& in_entry = chunk_in_entry_[(writer_.next() + ahead) & (header_.entries - 1)];
    if (in_entry != 0) {
      writer_.withdraw(ahead);
      retire(std::exchange(in_entry, 0));
    }
  }
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::publish_chunk(std::uint32_t number, std::uint64_t bytes, Deadline deadline) {
  if (!is_ready()) {
    if (auto room = make_room(deadline); !room) {
      return room;
    }
  }
  put_chunk({number, bytes}, now());
  ring_if_wanted();
  return {};
}

template <std::size_t Words>
void PublisherPort<Words>::put_chunk(const LentMessage& lent, std::uint64_t time) {
  std::uint32_t& in_entry = chunk_in_entry_[writer_.next() & (header_.entries - 1)];
  writer_.template publish<1>(time, about(lent.bytes, MessageForm::chunk), {lent.chunk});
  retire(std::exchange(in_entry, lent.chunk + 1));
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::publish_short(Bytes message, Deadline deadline) {
  if (!is_ready()) {
    if (auto room = make_room(deadline); !room) {
      return room;
    }
  }
  std::array<std::uint64_t, Words> words{};
  std::ranges::copy(message, std::as_writable_bytes(std::span(words)).begin());
  const MessageAbout what = about(message.size(), MessageForm::inline_words);
  const std::uint64_t at = writer_.next();
  constexpr std::size_t one_line = MessageEntry<5>::words;
  if (message.size() <= MessageEntry<5>::inline_bytes) {
    std::array<std::uint64_t, one_line> few;
    std::copy_n(words.begin(), one_line, few.begin());
    writer_.template publish<one_line>(now(), what, few);
  } else {
    writer_.template publish<Words>(now(), what, words);
  }
  retire(std::exchange(chunk_in_entry_[at & (header_.entries - 1)], 0));
  ring_if_wanted();
  return {};
}

// The chunk of a message that was just overwritten, by its number + 1.
template <std::size_t Words>
void PublisherPort<Words>::retire(std::uint32_t named) {
  if (named != 0) {
    pool_.retire(named - 1);
  }
}

// Frees what nobody holds.
template <std::size_t Words>
void PublisherPort<Words>::reclaim() {
  if (pool_.retired() == 0) {
    return;
  }
  const auto pins = roster_.pins();
  must_fence_ = !registered_ || roster_.wants_fences();
  if (!roster_.blind()) {
    pool_.reclaim(pins);
  }
}

// How far may be published before the next scan.
template <std::size_t Words>
void PublisherPort<Words>::scan() {
  state().head.store(writer_.next(), std::memory_order_relaxed);  // a hint: where to begin to look for the head
  writer_.allow_up_to(roster_.scan(writer_.next()));
  must_fence_ = !registered_ || roster_.wants_fences();
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::make_room(Deadline deadline) {
  if (auto usable = check_usable(); !usable) {
    return usable;
  }
  const auto eviction =
      options_.when_full == WhenFull::evict ? std::optional(after(options_.evict_after)) : std::nullopt;
  while (true) {
    scan();
    if (roster_.blind()) {
      return fail(Error(*roster_.blind()));
    }
    if (writer_.may_publish()) {
      return {};
    }
    if (options_.when_full == WhenFull::refuse || deadline.is_immediate()) {
      roster_.drop_the_dead(false);
      scan();
      return writer_.may_publish() ? Result<void>() : fail(full(Errc::would_block));
    }
    if (options_.waiting != Waiting::sleep && spin_for_room()) {
      return {};
    }
    const std::uint32_t told = bell_->room.announce();
    fence_before_looking(bell_->room.word());
    barrier_for_all();
    scan();
    if (writer_.may_publish()) {
      return {};
    }
    if (auto waited = wait_for_room(told, deadline, eviction); !waited) {
      return waited;
    }
  }
}

// For as long as two sleeps and wakes would take. Goes on only once there is room for several: each look at a gate
// takes its line away from the subscriber that is about to move it.
template <std::size_t Words>
bool PublisherPort<Words>::spin_for_room() {
  constexpr int looks = 250;
  constexpr int pauses_between = 8;
  const std::uint64_t enough = std::max<std::uint64_t>(header_.depth / 8, 1);
  for (int i = 0; i < looks && writer_.limit() - writer_.next() < enough; ++i) {
    for (int pause = 0; pause < pauses_between; ++pause) {
      pause_processor();
    }
    writer_.allow_up_to(roster_.scan_again());
  }
  return writer_.may_publish();
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::wait_for_room(std::uint32_t told, Deadline deadline,
                                                 std::optional<Deadline> eviction) {
  const Deadline until = eviction ? deadline.or_sooner(*eviction) : deadline;
  const auto slept = futex_wait(bell_->room.word(), told, until);
  roster_.drop_the_dead(false);
  if (slept) {
    return {};
  }
  if (slept.failed_with(Errc::timed_out)) {
    if (eviction && eviction->passed()) {
      scan();
      return writer_.may_publish() || roster_.evict_slowest() ? Result<void>() : fail(full(Errc::timed_out));
    }
    scan();
    return writer_.may_publish() ? Result<void>() : fail(full(Errc::timed_out));
  }
  return fail(Error(slept.error()));
}

template <std::size_t Words>
std::vector<SubscriberStanding> PublisherPort<Words>::subscribers() {
  if (!check_usable()) {
    return {};
  }
  scan();
  return roster_.standings();
}

template <std::size_t Words>
Error PublisherPort<Words>::full(Errc code) const {
  return Error(code, "publish").on(folder_.topic()).because(roster_.slowest_text());
}

template <std::size_t Words>
Error PublisherPort<Words>::all_held() const {
  const std::string holders = roster_.holders();
  return Error(Errc::limit_reached, "loan")
      .on(folder_.topic())
      .because(holders.empty() ? "all chunks are lent" : holders)
      .with({.name = "chunks of this publisher",
             .value = header_.chunks,
             .wanted = std::uint64_t{header_.chunks} + 1,
             .remedy = "let go of what is held, publish or drop what is lent, or create it with more"});
}

template class PublisherPort<5>;
template class PublisherPort<13>;

}  // namespace tenon
