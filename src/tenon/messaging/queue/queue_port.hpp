#pragma once
/// A process at a queue: it waits for messages and for room, looks who has died, and leaves nothing behind.
///
/// Edges: M1  compare-exchange of a member's token, or its store when it is given up → load-acquire: publishes that the
/// place is another's.
///
/// Threads: all calls from several at once but the destructor. fork: a child's calls say in_child.
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/queue/queue_file.hpp>
#include <tenon/messaging/queue/queue_polls.hpp>
#include <tenon/messaging/queue/queue_slots.hpp>
#include <tenon/messaging/queue/turns.hpp>
#include <tenon/os/fork_count.hpp>
#include <tenon/os/own_processor.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/sync/holder.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tenon {

class QueuePort {
 public:
  /// Outcomes: already_exists. Failures: as QueueFile::create(); limit_reached (members), in_child, not_found (the
  /// holder has left its domain).
  static Result<std::unique_ptr<QueuePort>> create(const Holder& holder, std::string_view name,
                                                   const QueueOptions& options, const QueueType& type);
  /// Outcomes: not_found. Failures: as QueueFile::open(); limit_reached (members), in_child.
  static Result<std::unique_ptr<QueuePort>> open(const Holder& holder, std::string_view name, const QueueType& type);
  /// One that stands in memory which somebody else answers for. Failures: as check_queue(); as open(); invalid_argument
  /// (another domain).
  static Result<std::unique_ptr<QueuePort>> at(const Holder& holder, MutableBytes memory, const QueueType& type);

  QueuePort(const QueuePort&) = delete;
  QueuePort& operator=(const QueuePort&) = delete;
  ~QueuePort();

  /// Room for a message of so many bytes. Outcomes: timed_out, stopped, closed (the queue was removed),
  /// message_too_long. Failures: in_child.
  Result<HeldSlot> claim(std::uint64_t bytes, Deadline deadline);
  /// Failures: not_found (this process's life file was removed: to the others it is dead), in_child.
  Result<void> commit(const HeldSlot& held, std::uint64_t length, Priority priority);
  void abandon(const HeldSlot& held) noexcept;

  /// At once or not at all. Outcomes: would_block. Else as above.
  Result<HeldSlot> try_claim(std::uint64_t bytes);

  /// The first message. Outcomes: timed_out, stopped, closed. Failures: corrupt, in_child, not_found (as commit()).
  Result<HeldSlot> take(Deadline deadline);
  /// At once or not at all. Outcomes: would_block, closed. Else as above.
  Result<HeldSlot> try_take();
  bool deliver(const HeldSlot& held) noexcept;
  /// The same for who may be a child by now. Outcomes: not_found (it is another's). Failures: in_child.
  Result<void> acknowledge(const HeldSlot& held);
  /// Outcomes: not_found (it is another's). Failures: in_child.
  Result<void> give_back(const HeldSlot& held);
  /// As if it had never been taken.
  Result<void> put_back(const HeldSlot& held);
  template <class Look>
  auto look_at_first(Look look) {
    using Looked = decltype(slots_->look_at_first(look));
    auto allowed = may_use("Queue::peek");
    return allowed ? slots_->look_at_first(look) : Looked(fail(std::move(allowed.error())));
  }

  /// Readable once a message, or room, may be there that was not when try_take() or try_claim() said would_block; and
  /// once in each recheck_interval. Failures: limit_reached (descriptors), no_space, permission_denied, in_child,
  /// closed.
  Result<FdView> fd(QueueNews news);

  const QueueSlot& slot(const HeldSlot& held) const noexcept { return memory_.slot(held.slot); }
  std::byte* bytes_of(const HeldSlot& held) const noexcept { return memory_.bytes_of(memory_.slot(held.slot)); }
  const QueueMemory& memory() const noexcept { return memory_; }
  const std::string& name() const noexcept { return name_; }
  QueueFill fill() const noexcept;
  void wait_by(Waiting waiting) noexcept { waiting_.store(waiting, std::memory_order_relaxed); }  // own process's

 private:
  QueuePort(const Holder& holder, std::optional<QueueFile> file, QueueMemory memory, std::string_view name);
  static Result<std::unique_ptr<QueuePort>> join(std::unique_ptr<QueuePort> port);

  Result<void> may_use(const char* call) const;
  Result<void> refusal(const char* call) const;
  Result<void> has_room_for(std::uint64_t bytes) const;
  std::optional<std::uint16_t> enter() noexcept;
  void ring_for_message() noexcept;
  void ring_for_room() noexcept;
  void ring_for_all() noexcept;
  template <class Try>
  auto try_polled(QueueNews news, Try attempt) -> decltype(attempt());
  void look_now_and_then() noexcept;
  void look_while_busy(const HeldSlot& taken) noexcept;
  void look_around() noexcept;
  void give_turn() noexcept;
  template <class Try>
  auto look_between_turns(Try attempt) -> decltype(attempt());
  template <class Try>
  auto look_for_a_while(Waiting waiting, Try attempt) -> decltype(attempt());
  template <class Try>
  auto wait(QueueBell& bell, const char* call, Try attempt, Deadline deadline) -> decltype(attempt());
  template <class Try>
  auto sleep(QueueBell& bell, const char* call, Try attempt, Deadline deadline) -> decltype(attempt());

  Holder holder_;
  std::optional<QueueFile> file_;
  QueueMemory memory_;
  std::string name_;
  std::optional<QueueSlots> slots_ = {};
  std::uint16_t place_ = 0;
  std::uint32_t fork_;
  std::atomic<Waiting> waiting_ = Waiting::adaptive;
  std::atomic<std::uint32_t> heard_from_ = UINT32_MAX;  // the processor of who sent what was last taken
  Turns turns_ = {};
  QueuePolls polls_;
  std::mutex looking_;  // of this process's threads one looks for the dead at a time
  Deaths deaths_;
};

}  // namespace tenon
