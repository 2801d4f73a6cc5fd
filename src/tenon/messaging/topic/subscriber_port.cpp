#include <tenon/messaging/topic/subscriber_port.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/membarrier.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>

namespace tenon {

namespace {

// So far ahead of all messages that no publisher takes it for a gate.
constexpr std::uint64_t beyond_all = std::uint64_t{1} << 62;
constexpr std::int64_t between_looks_at_lives = 50'000'000;
// Some 50 µs of looks and pauses.
constexpr std::uint64_t adaptive_looks = 1500;
// Some 2 µs.
constexpr int looks_on_the_way = 64;

constexpr Deadline::Clock::time_point moment_of(std::int64_t nanoseconds) noexcept {
  return Deadline::Clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

template <std::size_t Words>
Result<std::unique_ptr<SubscriberPort<Words>>> SubscriberPort<Words>::create(const Holder& holder,
                                                                             std::string_view topic,
                                                                             const SubscriberOptions& options,
                                                                             bool in_chunks, const MessageType& type) {
  if (in_chunks && options.max_held == 0) {
    return fail(Error(Errc::invalid_argument).on(topic).because("a message that cannot be held cannot be received"));
  }
  return TopicFolder::enter(holder, topic).and_then([&](TopicFolder folder) {
    return create_at(std::move(folder), holder, options, in_chunks, type, Token::random());
  });
}

template <std::size_t Words>
Result<std::unique_ptr<SubscriberPort<Words>>> SubscriberPort<Words>::create_at(TopicFolder folder,
                                                                                const Holder& holder,
                                                                                const SubscriberOptions& options,
                                                                                bool in_chunks, const MessageType& type,
                                                                                Token token) {
  auto made = create_in(folder, holder, options, in_chunks, type, token);
  if (!made) {
    folder.remove_if_empty();
  }
  return made;
}

template <std::size_t Words>
Result<std::unique_ptr<SubscriberPort<Words>>> SubscriberPort<Words>::create_in(TopicFolder& folder,
                                                                                const Holder& holder,
                                                                                const SubscriberOptions& options,
                                                                                bool in_chunks, const MessageType& type,
                                                                                Token token) {
  TopicCensus census(holder);
  if (auto prepared = census.prepare(folder, type); !prepared) {
    return fail(std::move(prepared.error()));
  }
  const EndpointName name{.kind = EndpointKind::subscriber, .token = token, .life = holder.token()};
  const SubscriberShape shape{.reliable = options.reliable, .max_held = in_chunks ? options.max_held : 0};
  const bool registered = register_for_barriers();
  auto own = OwnSubscriberFile::create(folder, name, shape, type, !registered, !barrier_for_all());
  if (!own) {
    return fail(std::move(own.error()));
  }
  folder.admit();
  std::unique_ptr<SubscriberPort> port(
      new SubscriberPort(holder, options, type, std::move(folder), std::move(*own), registered));
  std::atomic_thread_fence(std::memory_order_seq_cst);  // G1: its name is there before it looks for any head
  const auto names = port->folder_.names();
  if (!names) {
    return fail(Error(names.error()));
  }
  port->meet(*names, true);
  if (port->untold_) {
    return fail(Error(*port->untold_));
  }
  port->own_.state().joined.store(1, std::memory_order_release);  // T2
  return port;
}

template <std::size_t Words>
SubscriberPort<Words>::SubscriberPort(const Holder& holder, const SubscriberOptions& options, const MessageType& type,
                                      TopicFolder folder, OwnSubscriberFile own, bool registered)
    : options_(options),
      type_(type),
      holder_(holder),
      folder_(std::move(folder)),
      own_(std::move(own)),
      census_(holder),
      bell_(&folder_.bell()),
      registered_(registered),
      takes_turns_(options.ordered_within <= std::chrono::nanoseconds(0) && !options.newest_only),
      fork_(ForkCount::begin()),
      order_(options.ordered_within) {}

template <std::size_t Words>
SubscriberPort<Words>::~SubscriberPort() {
  [[maybe_unused]] const auto dropped = close();
}

template <std::size_t Words>
Result<void> SubscriberPort<Words>::close() {
  if (closed_ || !is_of_this_process()) {
    return closed_ ? Result<void>() : fail(Errc::in_child);
  }
  expects(held_ == 0, "a subscription is left once nothing of it is held");
  closed_ = true;
  folder_.remove(own_.name());
  // Publishers that wait for it learn that it has gone, and those that have ended may go too.
  bell_->room.silence();
  futex_wake_all(bell_->room.word());
  connections_.clear();
  census_.sweep(folder_);
  folder_.remove_if_empty();
  return {};
}

template <std::size_t Words>
Result<typename SubscriberPort<Words>::Connection*> SubscriberPort<Words>::nothing_new() {
  if (closed_ || !is_of_this_process()) {
    expects(!closed_, "a subscription that was left receives nothing");
    return fail(Error(Errc::in_child).on(folder_.topic()));
  }
  for (const auto& from : connections_) {
    if (from->unrung != 0) {
      ring_for_room(*from);
    }
  }
  // Who looks seldom is told as soon as who looks all the time.
  const std::int64_t now = monotonic_now();
  if (++empty_looks_ >= looks_between_names || now - met_at_ >= between_looks_at_lives) {
    empty_looks_ = 0;
    met_at_ = now;
    look_who_is_there();
    look_who_has_ended();
    forget_the_ended();
  }
  return tell_next_end();
}

template <std::size_t Words>
Result<typename SubscriberPort<Words>::Connection*> SubscriberPort<Words>::tell_next_end() {
  if (untold_) {
    return fail(*std::exchange(untold_, std::nullopt));
  }
  const auto ended = std::ranges::find_if(connections_, [](const auto& from) { return from->ended && !from->told; });
  return ended == connections_.end() ? fail(Errc::would_block, "receive") : tell_an_end(**ended);
}

template <std::size_t Words>
Result<typename SubscriberPort<Words>::Connection*> SubscriberPort<Words>::tell_an_end(Connection& from) {
  // Seen to have ended before this look: what it does not find was never published.
  Copy<1> copy;
  if (look_at(from, copy)) {
    look_again_ = order_.due() == 0;  // it may be kept waiting for an older one
    return fail(Errc::would_block, "receive");
  }
  from.told = true;
  last_ended_ = from.file.name();
  const Errc how = from.died ? Errc::peer_died : Errc::closed;
  from.row.row->gate.store(from.reader.next() + beyond_all, std::memory_order_relaxed);  // of a publisher that is gone
  from.row.row->drained.store(1, std::memory_order_relaxed);  // a hint for cleaning: no data depend on it
  // Each sweep reads what all have left: once for all that ended.
  if (std::ranges::none_of(connections_, [](const auto& other) { return other->ended && !other->told; })) {
    census_.sweep(folder_);
  }
  forget_the_ended();
  return fail(how, "receive");
}

template <std::size_t Words>
void SubscriberPort<Words>::forget_the_ended() {
  std::erase_if(connections_, [this](const auto& from) {
    if (!from->told || from->held != 0) {
      return false;
    }
    // Its row says that it is drained for as long as its file is there: meet() gives the row away later.
    refused_.emplace_back(from->file.name(), from->row);
    turn_ = 0;
    return true;
  });
}

template <std::size_t Words>
std::uint64_t SubscriberPort<Words>::newest_of(Connection& from) noexcept {
  const std::uint64_t at = from.reader.next();
  const std::uint64_t free = Ring(from.file.template entries<Entry>()).first_free(at);
  return free == at ? at : free - 1;
}

template <std::size_t Words>
void SubscriberPort<Words>::count_gap(Connection& from) noexcept {
  SubscriberRow& row = *from.row.row;
  const std::uint64_t before = from.reader.next();
  std::uint64_t gone = from.reader.skip();
  if (static_cast<std::int64_t>(from.joined_at - before) > 0) {
    // What was published before it came is history, and its absence no loss; what came later is still to be read.
    if (static_cast<std::int64_t>(from.reader.next() - from.joined_at) > 0) {
      from.reader.skip_to(from.joined_at);
      gone = from.joined_at - before;
    }
    history_short_ += gone;
    row.history_short.store(history_short_, std::memory_order_relaxed);  // own count, for people
    return;
  }
  set_gate(row.gate, from.reader.next());
  if (!options_.newest_only) {
    lost_ += gone;
    from.left_out += gone;
    row.lost.store(row.lost.load(std::memory_order_relaxed) + gone,
                   std::memory_order_relaxed);  // own count, for people
  }
}

template <std::size_t Words>
void SubscriberPort<Words>::ring_for_room(Connection& from) noexcept {
  from.unrung = 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // B1: the sleeper's membarrier orders processors, not compilers
  if (!registered_) {
    fence_before_ringing(bell_->room.word());
  }
  if (bell_->room.is_wanted()) {
    bell_->room.silence();
    futex_wake_all(bell_->room.word());
  }
}

// Who is never out of messages makes no empty look: whoever comes would wait for it for ever, and no end be told.
template <std::size_t Words>
void SubscriberPort<Words>::look_while_busy() noexcept {
  if (const std::int64_t now = monotonic_now(); now - met_at_ >= between_looks_at_lives) {
    met_at_ = now;
    look_who_is_there();
    look_who_has_ended();
    tell_before_messages_ = true;
  }
}

// Looks for as long as a message takes that is on its way from another processor. A pause after each look leaves the
// entry's line to the publisher, which has it to write yet.
template <std::size_t Words>
bool SubscriberPort<Words>::await_soon() noexcept {
  const bool finds_at_once = takes_turns_ && !tell_before_messages_ && is_of_this_process();
  if (!finds_at_once || options_.waiting == Waiting::sleep ||
      (options_.waiting == Waiting::adaptive && !comes_from_elsewhere())) {
    return false;
  }
  for (int look = 0; look < looks_on_the_way; ++look) {
    pause_processor();
    if (std::ranges::any_of(connections_, [](const auto& from) { return from->reader.has_news(); })) {
      return true;
    }
  }
  return false;
}

// Whether to look again may help: not where each publisher waits for this very processor.
template <std::size_t Words>
bool SubscriberPort<Words>::comes_from_elsewhere() const noexcept {
  return std::ranges::any_of(
      connections_, [own = own_processor()](const auto& from) { return !from->ended && from->processor != own; });
}

template <std::size_t Words>
std::uint64_t SubscriberPort<Words>::spins() noexcept {
  if (options_.waiting == Waiting::spin) {
    return UINT64_MAX;
  }
  // Once for each message: who waits for long sleeps.
  const bool helps = options_.waiting == Waiting::adaptive && std::exchange(fresh_, false) && comes_from_elsewhere();
  return helps ? adaptive_looks : 0;
}

template <std::size_t Words>
Result<void> SubscriberPort<Words>::time_is_over(Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "receive");
  }
  return deadline.passed() ? fail(Errc::timed_out, "receive") : Result<void>();
}

template <std::size_t Words>
std::uint32_t SubscriberPort<Words>::announce() {
  const std::uint32_t told = bell_->messages.announce();
  if (wake_) {
    own_.state().told.store(told, std::memory_order_relaxed);  // B1, by the barrier after it
  }
  fence_before_looking(bell_->messages.word());
  barrier_for_all();
  empty_looks_ = looks_between_names;  // who is there belongs to what is looked at before a sleep
  return told;
}

// What was rung for until now is looked at next, whether it is still announced or is so anew. Returns what it was told.
template <std::size_t Words>
std::uint32_t SubscriberPort<Words>::listen() {
  wake_->silence();
  empty_looks_ = looks_between_names;
  const std::uint32_t told = own_.state().told.load(std::memory_order_relaxed);  // own word
  return told != 0 && bell_->messages.is_quiet_since(told) ? told : announce();
}

template <std::size_t Words>
Result<FdView> SubscriberPort<Words>::fd() {
  if (!is_of_this_process()) {
    return fail(Error(Errc::in_child).on(folder_.topic()));
  }
  if (!wake_) {
    auto made = WakeSocket::create(folder_, own_.name().token);
    if (!made) {
      return fail(std::move(made.error()).on(folder_.topic()));
    }
    wake_ = std::move(*made);
  }
  return wake_->fd();
}

template <std::size_t Words>
Result<void> SubscriberPort<Words>::sleep(std::uint32_t told, Deadline deadline) {
  std::atomic<std::int64_t>& since = own_.state().waits_since;
  since.store(monotonic_now(), std::memory_order_relaxed);  // for people
  const Deadline until = order_.due() == 0 ? deadline : deadline.or_sooner(Deadline::at(moment_of(order_.due())));
  auto slept = futex_wait(bell_->messages.word(), told, until);
  since.store(0, std::memory_order_relaxed);  // for people
  const bool is_due = slept.failed_with(Errc::timed_out) && !deadline.passed();
  return is_due ? Result<void>() : std::move(slept);
}

template <std::size_t Words>
void SubscriberPort<Words>::look_who_is_there() {
  if (!folder_.has_changed()) {
    return;
  }
  if (const auto names = folder_.names()) {
    meet(*names, false);
  }
}

template <std::size_t Words>
void SubscriberPort<Words>::meet(const std::vector<EndpointName>& names, bool joined_before) {
  const auto is_there = [&](const EndpointName& name) { return std::ranges::find(names, name) != names.end(); };
  std::erase_if(refused_, [&](const auto& refused) {
    if (is_there(refused.first)) {
      return false;
    }
    refused.second.row->drained.store(0, std::memory_order_relaxed);  // nobody looks at it any more
    open_row(refused.second.row->publisher, 0);
    return true;
  });
  for (const EndpointName& name : names) {
    const bool is_new =
        name.kind == EndpointKind::publisher && !name.unfinished &&
        std::ranges::none_of(connections_, [&](const auto& from) { return from->file.name() == name; }) &&
        std::ranges::none_of(refused_, [&](const auto& refused) { return refused.first == name; });
    if (!is_new) {
      continue;
    }
    auto connected = connect(name, joined_before);
    if (!connected && !connected.failed_with(Errc::not_found) && !untold_) {
      untold_ = std::move(connected.error());
    }
  }
}

// A publisher that was there when this subscription joined is heard from its head on; one that came later, from its
// first message on, which it keeps for whom it finds there.
template <std::size_t Words>
Result<void> SubscriberPort<Words>::connect(const EndpointName& name, bool joined_before) {
  auto file = PublisherFile::open(folder_, name, type_, sizeof(Entry));
  if (!file) {
    if (file.error() == Errc::type_mismatch || file.error() == Errc::version_mismatch ||
        file.error() == Errc::corrupt || file.error() == Errc::not_supported) {
      if (auto refused = refuse(name); !refused) {
        return refused;
      }
    }
    return fail(std::move(file.error()));
  }
  if (joined_before && options_.history == 0 && has_ended(*file)) {
    return refuse(name);  // its end was before this subscription's time
  }
  auto row = own_.free_row();
  if (!row) {
    return fail(std::move(row.error()));
  }
  const Ring ring(file->template entries<Entry>());
  const PublisherHeader& header = file->header();
  const std::uint64_t known = file->state().head.load(std::memory_order_relaxed);  // a hint, whatever it is
  const std::uint64_t start = joined_before ? ring.first_free(known) : header.first;
  const std::uint64_t history =
      joined_before ? std::min({options_.history, start - header.first, std::uint64_t{header.entries}}) : 0;
  set_gate(row->row->gate, start);
  row->row->received.store(0, std::memory_order_relaxed);  // own count, for people
  open_row(row->row->publisher, name.token.value());
  const StampKind stamps = header.timestamps == 0 ? StampKind::none
                           : header.clock == 0    ? StampKind::monotonic
                                                  : StampKind::counter;
  const ClockOrigin origin{.pair = {.ticks = header.clock_ticks, .ns = header.clock_ns}, .kind = stamps};
  connections_.push_back(
      std::make_unique<Connection>(Connection{.file = std::move(*file),
                                              .reader = {ring, start - history},
                                              .row = *row,
                                              .joined_at = start,
                                              .origin = origin,
                                              .ring_each = std::max<std::uint64_t>(header.depth / 4, 1)}));
  look_again_ = true;
  return {};
}

template <std::size_t Words>
bool SubscriberPort<Words>::has_ended(const PublisherFile& file) {
  return file.state().closed.load(std::memory_order_acquire) != 0 || census_.is_gone(file.name().life);  // T1
}

// It waits for nothing of it, and says so, so that the publisher does not wait for this one.
template <std::size_t Words>
Result<void> SubscriberPort<Words>::refuse(const EndpointName& name) {
  return own_.free_row().transform([&](RowView row) {
    set_gate(row.row->gate, beyond_all);
    row.row->drained.store(1, std::memory_order_relaxed);  // a hint for cleaning: no data depend on it
    open_row(row.row->publisher, name.token.value());
    refused_.emplace_back(name, row);
  });
}

template <std::size_t Words>
void SubscriberPort<Words>::look_who_has_ended() {
  const std::int64_t now = monotonic_now();
  const bool ask_who_lives = now - looked_at_ >= between_looks_at_lives;
  looked_at_ = ask_who_lives ? now : looked_at_;
  for (const auto& from : connections_) {
    if (!from->ended && from->file.state().closed.load(std::memory_order_acquire) != 0) {  // T1
      from->ended = true;
    } else if (!from->ended && ask_who_lives && census_.is_gone(from->file.name().life)) {
      from->ended = from->died = true;
    }
  }
}

template <std::size_t Words>
auto SubscriberPort<Words>::pin(Connection& from, std::uint64_t chunk, std::uint64_t bytes) -> Result<Pinned> {
  const PublisherHeader& header = from.file.header();
  if (chunk >= header.chunks || bytes > header.chunk_bytes) {
    return fail(corrupt_endpoint(from.file.name(), "an entry names a chunk that is not there"));
  }
  const auto free = std::ranges::find_if(from.row.pins, [](const std::atomic<std::uint32_t>& pin) {
    return pin.load(std::memory_order_relaxed) == 0;  // own pins
  });
  if (free == from.row.pins.end()) {
    return fail(Error(Errc::limit_reached, "receive")
                    .on(folder_.topic())
                    .with({.name = "messages that this subscription holds",
                           .value = options_.max_held,
                           .wanted = std::uint64_t{options_.max_held} + 1,
                           .remedy = "let go of one, or subscribe with a larger max_held"}));
  }
  pin_chunk(*free, static_cast<std::uint32_t>(chunk));
  if (!from.reader.still_there()) {
    unpin_chunk(*free);
    return fail(Errc::stale, "receive");
  }
  ++from.held;
  ++held_;
  return Pinned{.pin = &*free, .message = from.file.chunk(static_cast<std::uint32_t>(chunk)).first(bytes)};
}

template <std::size_t Words>
void SubscriberPort<Words>::unpin(Connection& from, std::atomic<std::uint32_t>& pin) noexcept {
  if (!is_of_this_process()) {
    return;  // a forked child's copy goes; what it names is its parent's, who reads it still
  }
  unpin_chunk(pin);
  --from.held;
  --held_;
}

template <std::size_t Words>
bool SubscriberPort<Words>::hears(Token publisher) {
  look_who_is_there();
  return std::ranges::any_of(connections_,
                             [&](const auto& from) { return !from->told && from->file.name().token == publisher; });
}

template <std::size_t Words>
std::size_t SubscriberPort<Words>::publishers() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(connections_, [](const auto& from) { return !from->ended; }));
}

template class SubscriberPort<5>;
template class SubscriberPort<13>;

}  // namespace tenon
