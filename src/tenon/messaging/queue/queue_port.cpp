#include <tenon/messaging/queue/queue_port.hpp>

#include <tenon/os/futex.hpp>

#include <algorithm>
#include <chrono>

namespace tenon {

namespace {

constexpr std::int64_t between_looks = std::chrono::nanoseconds(recheck_interval).count();
// Some 50 µs of pauses, after how many of them the time is asked for, and whoever else is to run here has a turn.
constexpr int adaptive_looks = 2000;
constexpr int looks_between_times = 4;
constexpr int looks_between_turns = 16;
constexpr int most_turns = 8;
// Messages: of fewer, each is worth that its receiver is there when it comes.
constexpr std::uint64_t worth_a_turn = 8;
// Longer than all of these take, unless somebody is kept in a lock, for which each look waits.
constexpr std::int64_t longest_looks = 8'000'000;

}  // namespace

QueuePort::QueuePort(const Holder& holder, std::optional<QueueFile> file, QueueMemory memory, std::string_view name)
    : holder_(holder),
      file_(std::move(file)),
      memory_(memory),
      name_(name),
      fork_(ForkCount::begin()),
      polls_(holder_.domain(), memory_),
      deaths_(holder) {}

Result<std::unique_ptr<QueuePort>> QueuePort::create(const Holder& holder, std::string_view name,
                                                     const QueueOptions& options, const QueueType& type) {
  return holder.may_share(holder.domain_id())
      .and_then([&] { return QueueFile::create(holder, name, options, type); })
      .and_then([&](QueueFile file) {
        const QueueMemory memory = file.memory();
        return join(std::unique_ptr<QueuePort>(new QueuePort(holder, std::move(file), memory, name)));
      });
}

Result<std::unique_ptr<QueuePort>> QueuePort::open(const Holder& holder, std::string_view name, const QueueType& type) {
  return holder.may_share(holder.domain_id())
      .and_then([&] { return QueueFile::open(holder.domain(), name, type); })
      .and_then([&](QueueFile file) {
        const QueueMemory memory = file.memory();
        return join(std::unique_ptr<QueuePort>(new QueuePort(holder, std::move(file), memory, name)));
      });
}

Result<std::unique_ptr<QueuePort>> QueuePort::at(const Holder& holder, MutableBytes memory, const QueueType& type) {
  return check_queue(memory, type, "a queue in memory").and_then([&](const QueueHeader& header) {
    return holder.may_share({.device = header.domain_device, .inode = header.domain_inode}).and_then([&] {
      return join(std::unique_ptr<QueuePort>(
          new QueuePort(holder, std::nullopt, QueueMemory(memory, header), "a queue in memory")));
    });
  });
}

// What is taken by the dead is found out first where no place is left.
Result<std::unique_ptr<QueuePort>> QueuePort::join(std::unique_ptr<QueuePort> port) {
  auto place = port->enter();
  if (!place) {
    port->look_around();
    place = port->enter();
  }
  if (!place) {
    return fail(Error(Errc::limit_reached, "Queue::open")
                    .on(port->name_)
                    .with({.name = "members",
                           .value = port->memory_.header().members,
                           .wanted = std::uint64_t{port->memory_.header().members} + 1,
                           .remedy = "make the queue with more members"}));
  }
  port->place_ = *place;
  port->slots_.emplace(port->memory_, port->holder_.token(), *place);
  return port;
}

std::optional<std::uint16_t> QueuePort::enter() noexcept {
  const auto members = memory_.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::uint64_t nobody_s = 0;
    if (members[i].token.compare_exchange_strong(nobody_s, holder_.token().value(), std::memory_order_acq_rel)) {  // M1
      return static_cast<std::uint16_t>(i);
    }
  }
  return std::nullopt;
}

// Whatever is still held, by messages that outlive their queue, is where it was.
QueuePort::~QueuePort() {
  if (!slots_ || ForkCount::now() != fork_) {
    return;
  }
  polls_.remove_sockets(place_, holder_.token());  // while the place, by which they are named, is its own
  if (slots_->reclaim(place_, holder_.token())) {
    ring_for_all();
  } else {
    slots_->leave_to_others();
  }
}

Result<void> QueuePort::may_use(const char* call) const {
  // relaxed: its own, which others take away only if they find this process dead
  const std::uint64_t here = memory_.member(place_).token.load(std::memory_order_relaxed);
  const bool is_own = ForkCount::now() == fork_ && here == holder_.token().value();
  // relaxed: a flag, set for good; who waits looks after it was rung
  const bool is_there = memory_.state().removed.load(std::memory_order_relaxed) == 0;
  return is_own && is_there ? Result<void>() : refusal(call);
}

Result<void> QueuePort::refusal(const char* call) const {
  if (ForkCount::now() != fork_) {
    return fail(Error(Errc::in_child, call).on(name_));
  }
  // relaxed: as above
  return memory_.state().removed.load(std::memory_order_relaxed) != 0
             ? fail(Errc::closed, call)
             : fail(
                   Error(Errc::not_found, call).on(name_).because("this process's life file was removed from outside"));
}

// Of all members together, once in each interval.
void QueuePort::look_now_and_then() noexcept {
  std::atomic<std::int64_t>& looked = memory_.state().looked;
  std::int64_t last = looked.load(std::memory_order_relaxed);  // who looks is decided by the exchange
  const std::int64_t now = coarse_now();
  // A time that is yet to come was written by who lies, or before this machine's clock began anew.
  if ((now - last >= between_looks || last > now) &&
      looked.compare_exchange_strong(last, now, std::memory_order_relaxed)) {  // decides who looks, and nothing else
    look_around();
  }
}

// Who is dead, and whether somebody has removed the file.
void QueuePort::look_around() noexcept {
  const std::unique_lock only(looking_, std::try_to_lock);
  if (!only) {
    return;
  }
  if (file_ && !file_->has_name()) {
    file_->say_removed();
  }
  const auto members = memory_.members();
  std::size_t others = 0;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const Token token = Token::from(members[i].token.load(std::memory_order_acquire));  // M1
    if (token.is_nobody() || token == holder_.token()) {
      continue;
    }
    ++others;
    if (const auto dead = deaths_.took(token); dead && *dead) {
      QueueSlots own(memory_, holder_.token(), place_);
      if (own.reclaim(i, token)) {
        ring_for_all();
        polls_.remove_sockets(i, token);
      }
    }
  }
  if (deaths_.open_files() > others) {
    deaths_.forget_unless([&](Token known) {
      return std::ranges::any_of(members, [&](const QueueMember& member) {
        return member.token.load(std::memory_order_relaxed) == known.value();  // a token, which is looked up elsewhere
      });
    });
  }
}

template <class Try>
auto QueuePort::sleep(QueueBell& bell, const char* call, Try attempt, Deadline deadline) -> decltype(attempt()) {
  while (true) {
    const std::uint32_t told = bell.announce();
    auto got = attempt();
    if (!got.failed_with(Errc::would_block)) {
      return got;
    }
    auto slept = futex_wait(bell.word(), told, deadline);
    look_now_and_then();
    const auto usable = may_use(call);
    if (slept && usable) {
      continue;
    }
    if (usable && (got = attempt())) {
      return got;
    }
    bell.ring_one();  // what this one was woken for may be another's
    return fail(usable ? std::move(slept.error()) : Error(usable.error()));
  }
}

// Well used if so many messages were sent or received meanwhile, by whomever.
void QueuePort::give_turn() noexcept {
  const std::uint64_t before = slots_->ordered_below();
  turns_.give([&] { return slots_->ordered_below() - before + slots_->seen_waiting() >= worth_a_turn; });
}

// Where who is waited for is likely to need this very processor.
template <class Try>
auto QueuePort::look_between_turns(Try attempt) -> decltype(attempt()) {
  auto got = attempt();
  for (int turn = 0; turn < most_turns && got.failed_with(Errc::would_block) && turns_.pay(); ++turn) {
    give_turn();
    got = attempt();
  }
  return got;
}

// Who said that it spins keeps its processor.
template <class Try>
auto QueuePort::look_for_a_while(Waiting waiting, Try attempt) -> decltype(attempt()) {
  const std::int64_t begun = coarse_now();
  const bool gives = waiting == Waiting::adaptive && turns_.pay();
  const auto is_over = [&](int look) {
    return look % looks_between_times == 0 && coarse_now() - begun >= longest_looks;
  };
  auto got = attempt();
  for (int look = 1; look <= adaptive_looks && got.failed_with(Errc::would_block) && !is_over(look); ++look) {
    pause_processor();
    if (gives && look % looks_between_turns == 0) {
      give_turn();
    }
    got = attempt();
  }
  return got;
}

// Looks again and again first, where that may help.
template <class Try>
auto QueuePort::wait(QueueBell& bell, const char* call, Try attempt, Deadline deadline) -> decltype(attempt()) {
  if (auto usable = may_use(call); !usable) [[unlikely]] {
    return fail(std::move(usable.error()));
  }
  auto got = attempt();
  if (!got.failed_with(Errc::would_block)) [[likely]] {
    return got;
  }
  if (deadline.is_immediate()) {
    look_now_and_then();
    return fail(stop_requested(deadline) ? Errc::stopped : Errc::timed_out, call);
  }
  const Waiting waiting = waiting_.load(std::memory_order_relaxed);                     // own process's
  const bool is_near = heard_from_.load(std::memory_order_relaxed) == own_processor();  // a guess
  while (waiting != Waiting::sleep) {
    got = waiting == Waiting::adaptive && is_near ? look_between_turns(attempt) : look_for_a_while(waiting, attempt);
    if (!got.failed_with(Errc::would_block)) {
      return got;
    }
    if (deadline.passed() || stop_requested(deadline) || waiting == Waiting::adaptive) {
      break;
    }
    look_now_and_then();
    if (auto usable = may_use(call); !usable) {
      return fail(std::move(usable.error()));
    }
  }
  return sleep(bell, call, attempt, deadline);
}

Result<void> QueuePort::has_room_for(std::uint64_t bytes) const {
  const QueueHeader& header = memory_.header();
  const std::uint64_t most = std::max(header.short_bytes, header.blocks * header.block_bytes);
  return bytes <= most ? Result<void>()
                       : fail(Error(Errc::message_too_long, "Queue::send")
                                  .on(name_)
                                  .with({.name = "bytes of a message",
                                         .value = most,
                                         .wanted = bytes,
                                         .remedy = "make the queue with more bytes"}));
}

Result<HeldSlot> QueuePort::claim(std::uint64_t bytes, Deadline deadline) {
  if (auto fits = has_room_for(bytes); !fits) [[unlikely]] {
    return fail(std::move(fits.error()));
  }
  return wait(memory_.freed(), "Queue::send", [&] { return slots_->claim(bytes); }, deadline);
}

Result<HeldSlot> QueuePort::try_claim(std::uint64_t bytes) {
  auto allowed = has_room_for(bytes).and_then([&] { return may_use("Queue::send"); });
  if (!allowed) [[unlikely]] {
    return fail(std::move(allowed.error()));
  }
  return try_polled(QueueNews::room, [&] { return slots_->claim(bytes); });
}

// Who polls is rung for what it does not find here.
template <class Try>
auto QueuePort::try_polled(QueueNews news, Try attempt) -> decltype(attempt()) {
  auto got = attempt();
  if (!got.failed_with(Errc::would_block)) [[likely]] {
    return got;
  }
  look_now_and_then();
  return polls_.arm(news, place_) ? attempt() : std::move(got);
}

Result<void> QueuePort::commit(const HeldSlot& held, std::uint64_t length, Priority priority) {
  if (auto usable = may_use("Queue::send"); !usable) [[unlikely]] {
    abandon(held);
    return usable;
  }
  if (!slots_->commit(held, length, priority)) [[unlikely]] {
    return refusal("Queue::send");
  }
  ring_for_message();
  return {};
}

// Also of one that was taken for dead: who claimed while its place was given up is found by nobody else.
void QueuePort::abandon(const HeldSlot& held) noexcept {
  if (ForkCount::now() == fork_) {
    slots_->abandon(held);
    ring_for_room();
  }
}

Result<HeldSlot> QueuePort::take(Deadline deadline) {
  auto taken = wait(memory_.arrived(), "Queue::receive", [this] { return slots_->take(); }, deadline);
  if (taken) [[likely]] {
    look_while_busy(*taken);
  }
  return taken;
}

// Who never waits looks all the same.
void QueuePort::look_while_busy(const HeldSlot& taken) noexcept {
  heard_from_.store(memory_.slot(taken.slot).sent_on, std::memory_order_relaxed);  // a guess, for who waits next
  look_now_and_then();
}

Result<HeldSlot> QueuePort::try_take() {
  if (auto usable = may_use("Queue::receive"); !usable) [[unlikely]] {
    return fail(std::move(usable.error()));
  }
  auto taken = try_polled(QueueNews::message, [this] { return slots_->take(); });
  if (taken) {
    look_while_busy(*taken);
  }
  return taken;
}

// Room for a long message may be enough for several that wait, and none for the first of them.
void QueuePort::ring_for_room() noexcept {
  if (memory_.header().blocks == 0) {
    memory_.freed().ring_one();
  } else {
    memory_.freed().ring_all();
  }
  polls_.ring(QueueNews::room);
}

void QueuePort::ring_for_message() noexcept {
  memory_.arrived().ring_one();
  polls_.ring(QueueNews::message);
}

void QueuePort::ring_for_all() noexcept {
  memory_.arrived().ring_all();
  memory_.freed().ring_all();
  polls_.ring(QueueNews::message);
  polls_.ring(QueueNews::room);
}

Result<FdView> QueuePort::fd(QueueNews news) {
  return may_use("Queue::fd").and_then([&] { return polls_.fd(news, place_, holder_.token()); });
}

bool QueuePort::deliver(const HeldSlot& held) noexcept {
  if (!slots_->deliver(held)) [[unlikely]] {
    return false;
  }
  ring_for_room();
  return true;
}

Result<void> QueuePort::acknowledge(const HeldSlot& held) {
  if (ForkCount::now() != fork_) {
    return fail(Error(Errc::in_child, "Taken::acknowledge").on(name_));
  }
  return deliver(held) ? Result<void>() : fail(Errc::not_found, "Taken::acknowledge");
}

Result<void> QueuePort::give_back(const HeldSlot& held) {
  if (auto usable = may_use("Queue::give_back"); !usable && !usable.failed_with(Errc::closed)) {
    return usable;
  }
  if (!slots_->give_back(held)) {
    return fail(Errc::not_found, "Queue::give_back");
  }
  ring_for_message();
  return {};
}

Result<void> QueuePort::put_back(const HeldSlot& held) {
  --memory_.slot(held.slot).deliveries;
  return give_back(held);
}

QueueFill QueuePort::fill() const noexcept {
  const QueueHeader& header = memory_.header();
  QueueFill fill{.messages = header.slots, .bytes = header.blocks * header.block_bytes};
  for (std::uint32_t i = 0; i < header.slots; ++i) {
    // relaxed: figures for people
    const SlotState state = SlotState::of(memory_.slot(i).state.load(std::memory_order_relaxed));
    fill.waiting += state.phase == SlotPhase::ready || state.phase == SlotPhase::queued ? 1 : 0;
    fill.taken += state.phase == SlotPhase::taken ? 1 : 0;
    fill.being_sent += state.phase == SlotPhase::writing ? 1 : 0;
  }
  fill.free_bytes = memory_.state().free_blocks.load(std::memory_order_relaxed) * header.block_bytes;  // as above
  fill.returned = memory_.state().returned.load(std::memory_order_relaxed);                            // as above
  return fill;
}

}  // namespace tenon
