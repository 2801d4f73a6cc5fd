#include <tenon/messaging/topic/publisher_port.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/membarrier.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace tenon {

namespace {

constexpr std::uint32_t short_messages_depth = 1024;
constexpr std::uint64_t long_messages_bytes = 4 << 20;
constexpr std::uint32_t most_entries = 1 << 30;
// From here on a chunk is taken again at once: it is longer than what a second-level cache holds.
constexpr std::uint64_t long_chunk = 512 << 10;

std::uint32_t depth_of(const PublisherOptions& options, std::uint64_t message_bytes, bool in_chunks) noexcept {
  if (options.depth != 0 || !in_chunks) {
    return options.depth != 0 ? options.depth : short_messages_depth;
  }
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(long_messages_bytes / std::max<std::uint64_t>(message_bytes, 1), 4, 1024));
}

std::string text_of(const SubscriberStanding& standing) { return "pid " + std::to_string(standing.pid); }

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
  auto header = lay_out(shape, type);
  if (!header) {
    return fail(std::move(header.error()).on(topic));
  }
  return TopicFolder::enter(holder, topic).and_then([&](TopicFolder folder) {
    auto made = create_in(folder, holder, options, *header, type);
    if (!made) {
      folder.remove_if_empty();
    }
    return made;
  });
}

template <std::size_t Words>
Result<std::unique_ptr<PublisherPort<Words>>> PublisherPort<Words>::create_in(TopicFolder& folder, const Holder& holder,
                                                                              const PublisherOptions& options,
                                                                              PublisherHeader header,
                                                                              const MessageType& type) {
  TopicCensus census(holder);
  census.sweep(folder);
  if (auto checked = census.check_publishers_types(folder, type); !checked) {
    return fail(std::move(checked.error()));
  }
  const EndpointName name{.kind = EndpointKind::publisher, .token = Token::random(), .life = holder.token()};
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
      name_(name),
      holder_(holder),
      folder_(std::move(folder)),
      own_(std::move(file.memory)),
      census_(holder),
      writer_(Ring({reinterpret_cast<Entry*>(own_.data() + header.ring_at), header.entries}), header.first),
      bell_(&folder_.bell()),
      registered_(registered),
      must_fence_(!registered),
      fork_(ForkCount::begin()),
      gates_(header.first, header.depth),
      pool_(header.chunks, header.chunk_bytes >= long_chunk ? ChunkOrder::newest_first : ChunkOrder::oldest_first),
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
  wake_subscribers();
  known_.clear();
  // Its file stays for those who have not received all of it.
  census_.sweep(folder_);
  folder_.remove_if_empty();
  return {};
}

template <std::size_t Words>
void PublisherPort<Words>::wake_subscribers() noexcept {
  bell_->messages.silence();
  futex_wake_all(bell_->messages.word());
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
  const bool eager = header_.chunk_bytes >= long_chunk;  // what was just given up is still in the cache
  if (pool_.free() == 0 || eager) {
    reclaim();
  }
  if (pool_.free() == 0) {
    drop_the_dead();
    reclaim();
  }
  const auto taken = pool_.take();
  if (!taken && blind_) {
    return fail(Error(*blind_));
  }
  return taken ? Result<std::uint32_t>(*taken) : fail(all_held());
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::publish_chunk(std::uint32_t number, std::uint64_t bytes, Deadline deadline) {
  if (!is_ready()) {
    if (auto room = make_room(deadline); !room) {
      return room;
    }
  }
  std::uint32_t& in_entry = chunk_in_entry_[writer_.next() & (header_.entries - 1)];
  writer_.template publish<1>(now(), about(bytes, MessageForm::chunk), {number});
  retire(std::exchange(in_entry, number + 1));
  ring_if_wanted();
  return {};
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

// Frees what nobody holds. Who is there is looked at behind a fence too: a pin stands in a file, which may be new.
template <std::size_t Words>
std::size_t PublisherPort<Words>::reclaim() {
  if (pool_.retired() == 0) {
    return 0;
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);  // G1, C1: the entries are gone before who holds is looked up
  look_who_is_there();
  std::vector<std::span<const ChunkPool<>::Pin>> pins;
  pins.reserve(known_.size());
  for (Known& known : known_) {
    find_row(known);
    if (known.row) {
      pins.push_back(known.row->pins);
    }
  }
  return blind_ ? 0 : pool_.reclaim(pins);
}

template <std::size_t Words>
void PublisherPort<Words>::find_row(Known& known) {
  if (known.row && !row_is_of(known.row->row->publisher, name_.token.value())) {
    known.row.reset();
  }
  if (known.row) {
    return;
  }
  known.row = known.file.row_of(name_.token);
  if (!known.row) {
    const auto grown = known.file.follow_growth(folder_);
    if (grown && *grown) {
      known.row = known.file.row_of(name_.token);
    } else if (!grown && !grown.failed_with(Errc::not_found)) {
      blind_ = grown.error();
    }
  }
}

// Where a subscriber stands, as a scan finds it.
template <std::size_t Words>
std::uint64_t PublisherPort<Words>::stand_of(Known& known) {
  find_row(known);
  if (known.row) {
    return known.row->row->gate.load(std::memory_order_acquire);  // G2
  }
  known.newcomer = known.newcomer.value_or(gates_.newcomer());
  return *known.newcomer;
}

template <std::size_t Words>
void PublisherPort<Words>::look_who_is_there() {
  if (!folder_.has_changed() && !blind_) {
    return;
  }
  blind_.reset();
  const auto names = folder_.names();
  if (!names) {
    blind_ = names.error();
    return;
  }
  look_again_at(*names);
  must_fence_ =
      !registered_ || std::ranges::any_of(known_, [](const Known& known) { return known.file.header().barred != 0; });
}

// Whose file is gone has left. Who cannot be understood, of another version say, cannot understand this one either, and
// is nobody's concern; who cannot be opened for want of something is.
template <std::size_t Words>
void PublisherPort<Words>::look_again_at(const std::vector<EndpointName>& names) {
  std::erase_if(known_, [&](const Known& known) { return std::ranges::find(names, known.file.name()) == names.end(); });
  for (const EndpointName& name : names) {
    const bool is_new = name.kind == EndpointKind::subscriber && !name.unfinished &&
                        std::ranges::none_of(known_, [&](const Known& known) { return known.file.name() == name; });
    if (!is_new) {
      continue;
    }
    auto file = SubscriberFile::open(folder_, name);
    if (file) {
      known_.push_back({.file = std::move(*file)});
    } else if (file.error() == Errc::limit_reached || file.error() == Errc::no_memory) {
      blind_ = std::move(file.error());
    }
  }
}

// How far may be published before the next scan.
template <std::size_t Words>
void PublisherPort<Words>::scan() {
  gates_.begin(writer_.next());
  state().head.store(writer_.next(), std::memory_order_relaxed);  // a hint: where to begin to look for the head
  look_who_is_there();
  for (Known& known : known_) {
    if (known.file.header().reliable == 0) {
      continue;
    }
    const std::uint64_t stand = stand_of(known);
    if (!known.evicted) {
      gates_.count(stand);
    } else {
      known.evicted = writer_.next() - stand > header_.depth / 2;  // it has caught up: waited for again
    }
  }
  writer_.allow_up_to(blind_ ? writer_.next() : gates_.limit());
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
    if (blind_) {
      return fail(Error(*blind_));
    }
    if (writer_.may_publish()) {
      return {};
    }
    if (options_.when_full == WhenFull::refuse || deadline.is_immediate()) {
      drop_the_dead();
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
    gates_.again();
    for (Known& known : known_) {
      if (known.file.header().reliable != 0 && !known.evicted) {
        gates_.count(stand_of(known));
      }
    }
    writer_.allow_up_to(gates_.limit());
  }
  return writer_.may_publish();
}

template <std::size_t Words>
Result<void> PublisherPort<Words>::wait_for_room(std::uint32_t told, Deadline deadline,
                                                 std::optional<Deadline> eviction) {
  const Deadline until = eviction ? deadline.or_sooner(*eviction) : deadline;
  const auto slept = futex_wait(bell_->room.word(), told, until);
  drop_the_dead();
  if (slept) {
    return {};
  }
  if (slept.failed_with(Errc::timed_out)) {
    if (eviction && eviction->passed()) {
      scan();
      return writer_.may_publish() || evict_slowest() ? Result<void>() : fail(full(Errc::timed_out));
    }
    scan();
    return writer_.may_publish() ? Result<void>() : fail(full(Errc::timed_out));
  }
  return fail(Error(slept.error()));
}

// Of those who hold it back, or hold chunks: the others are nobody's concern.
template <std::size_t Words>
void PublisherPort<Words>::drop_the_dead() {
  std::erase_if(known_, [this](const Known& known) {
    const bool concerns = (known.file.header().reliable != 0 && behind(known) >= header_.depth) ||
                          (pool_.free() == 0 && header_.chunks != 0);
    const bool gone = concerns && census_.is_gone(known.file.name().life);
    if (gone) {
      folder_.remove(known.file.name());
    }
    return gone;
  });
}

template <std::size_t Words>
bool PublisherPort<Words>::evict_slowest() noexcept {
  const Known* const found = slowest();
  for (Known& known : known_) {
    if (&known == found) {
      known.evicted = true;
      return true;
    }
  }
  return false;
}

template <std::size_t Words>
std::uint64_t PublisherPort<Words>::behind(const Known& known) const noexcept {
  const std::uint64_t stand = known.row
                                  ? known.row->row->gate.load(std::memory_order_relaxed)  // for people, and the dead
                                  : known.newcomer.value_or(writer_.next());
  const std::uint64_t behind = writer_.next() - stand;
  return static_cast<std::int64_t>(behind) < 0 ? 0 : behind;
}

template <std::size_t Words>
auto PublisherPort<Words>::slowest() const noexcept -> const Known* {
  const Known* slowest = nullptr;
  for (const Known& known : known_) {
    const bool counts = known.file.header().reliable != 0 && !known.evicted && behind(known) <= header_.depth;
    if (counts && (slowest == nullptr || behind(known) > behind(*slowest))) {
      slowest = &known;
    }
  }
  return slowest;
}

template <std::size_t Words>
SubscriberStanding PublisherPort<Words>::standing(const Known& known) const noexcept {
  SubscriberStanding standing{.pid = known.file.header().head.pid,
                              .reliable = known.file.header().reliable != 0,
                              .behind = behind(known),
                              .evicted = known.evicted};
  if (known.row) {
    standing.lost = known.row->row->lost.load(std::memory_order_relaxed);  // for people
    standing.held = static_cast<std::uint64_t>(std::ranges::count_if(known.row->pins, [](const auto& pin) {
      return pin.load(std::memory_order_relaxed) != 0;  // for people
    }));
  }
  return standing;
}

template <std::size_t Words>
std::vector<SubscriberStanding> PublisherPort<Words>::subscribers() {
  std::vector<SubscriberStanding> standings;
  if (check_usable()) {
    scan();
    std::ranges::for_each(known_, [this](Known& known) { find_row(known); });
    std::ranges::transform(known_, std::back_inserter(standings),
                           [this](const Known& known) { return standing(known); });
  }
  return standings;
}

template <std::size_t Words>
Error PublisherPort<Words>::full(Errc code) const {
  const Known* const found = slowest();
  return Error(code, "publish")
      .on(folder_.topic())
      .because(found == nullptr ? std::string("a subscriber is being waited for")
                                : "the slowest subscriber, " + text_of(standing(*found)) + ", is " +
                                      std::to_string(behind(*found)) + " messages behind");
}

template <std::size_t Words>
Error PublisherPort<Words>::all_held() const {
  std::string holders;
  for (const Known& known : known_) {
    const SubscriberStanding one = standing(known);
    if (one.held != 0) {
      holders += (holders.empty() ? "" : ", ") + text_of(one) + " holds " + std::to_string(one.held);
    }
  }
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
