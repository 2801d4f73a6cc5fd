#pragma once
/// Messages that one of many receives: any process sends, any process takes, the highest priority first, and of one
/// priority the one that was sent first. They stay until they are received, whoever dies.
///
///     auto jobs = Queue<Job>::open_or_create(self, "jobs").or_throw();
///     jobs.send(Job{.number = 7}, Priority(3), never).or_throw();
///     const auto job = jobs.receive(never).or_throw();       // job.value, job.priority, job.deliveries
///
/// Whoever must not lose the job when it dies over it takes it instead, and acknowledges it once it is done:
///
///     auto taken = jobs.take(never).or_throw();              // taken->number; it is nobody else's meanwhile
///     work_at(*taken);
///     std::move(taken).acknowledge().or_throw();
///
/// A queue is there until it is removed, with what it holds. All who may open it trust each other.
///
/// Threads: all calls from several at once but moves. fork: a child joins the domain and opens the queue for itself.
/// What was taken or lent goes before its queue does; what is left of it then comes back.
#include <tenon/messaging/queue/queue_handles.hpp>
#include <tenon/messaging/queue/queue_port.hpp>
#include <tenon/messaging/queue/queue_shape.hpp>
#include <tenon/os/create_or_open.hpp>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace tenon {

template <QueueMessage M>
class Queue {
  using Shape = QueueShape<M>;
  using In = typename Shape::In;

 public:
  using Received = Delivery<typename Shape::Value>;

  /// Makes it, in the holder's domain. Outcomes: already_exists. Failures: no_space, no_memory, limit_reached (naming
  /// the bytes), permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Queue> create(const Holder& holder, std::string_view name, const QueueOptions& options = {}) {
    return made(QueuePort::create(holder, name, options, Shape::type()));
  }
  /// Outcomes: not_found. Failures: type_mismatch (naming the types, or the first field that differs), corrupt,
  /// version_mismatch, permission_denied, invalid_name, limit_reached (members), in_child.
  static Result<Queue> open(const Holder& holder, std::string_view name) {
    return made(QueuePort::open(holder, name, Shape::type()));
  }
  /// Opens it, as large as it is, or makes it.
  static Result<Queue> open_or_create(const Holder& holder, std::string_view name, const QueueOptions& options = {}) {
    return create_or_open(
        "open", name, [&] { return create(holder, name, options); }, [&] { return open(holder, name); });
  }
  /// Takes its name away, and what it holds: who has it open, or waits, is told that it is closed. Outcomes: not_found.
  /// Failures: permission_denied, invalid_name, wrong_kind, corrupt.
  static Result<void> remove(const Domain& domain, std::string_view name) { return QueueFile::remove(domain, name); }

  /// Bytes of shared memory that a queue takes. Failures: as create().
  static Result<std::uint64_t> memory_needed(const QueueOptions& options = {}) {
    return lay_out(options, Shape::type()).transform([](const QueueHeader& header) { return header.bytes; });
  }
  /// Makes one in memory that all who share it map, such as an array in a segment: zero, on a cache line, at least as
  /// much as memory_needed(), and seen by nobody else yet. Failures: as create(); no_space (too little of it).
  static Result<Queue> create_in(const Holder& holder, MutableBytes memory, const QueueOptions& options = {}) {
    return lay_out(options, Shape::type()).and_then([&](const QueueHeader& header) -> Result<Queue> {
      if (header.bytes > memory.size()) {
        return fail(Error(Errc::no_space, "Queue::create_in")
                        .because("it takes " + std::to_string(header.bytes) + " bytes, of which there are " +
                                 std::to_string(memory.size())));
      }
      initialise_queue(memory.first(header.bytes), header, Shape::type(), holder);
      return open_in(holder, memory);
    });
  }
  /// One that stands there. The memory stays where it is until the handle goes. Failures: corrupt, version_mismatch,
  /// type_mismatch, limit_reached (members), in_child, invalid_argument (it was made for members of another domain).
  static Result<Queue> open_in(const Holder& holder, MutableBytes memory) {
    return made(QueuePort::at(holder, memory, Shape::type()));
  }

  /// Sends a copy. Outcomes: timed_out, stopped (there is no room), closed (the queue was removed), message_too_long
  /// (longer than all the queue's bytes). Failures: in_child, not_found (this process's life file was removed).
  Result<void> send(In message, Priority priority, Deadline deadline) {
    const Bytes bytes = Shape::bytes(message);
    return send_claimed(port_->claim(bytes.size(), deadline), bytes, priority);
  }
  Result<void> send(In message, Deadline deadline) { return send(message, lowest_priority, deadline); }
  /// At once or not at all. Outcomes: would_block, closed, message_too_long.
  Result<void> try_send(In message, Priority priority = lowest_priority) {
    const Bytes bytes = Shape::bytes(message);
    return send_claimed(port_->try_claim(bytes.size()), bytes, priority);
  }

  /// Room to write a message in place; its bytes are what another message has left there. As send().
  Result<QueueLoan<M>> loan(Deadline deadline)
    requires Message<M>
  {
    return lend(sizeof(M), deadline);
  }
  Result<QueueLoan<M>> loan(std::size_t count, Deadline deadline)
    requires SlicedMessage<M>
  {
    constexpr std::size_t most = SIZE_MAX / sizeof(typename Shape::Element);
    return lend(count <= most ? count * sizeof(typename Shape::Element) : SIZE_MAX, deadline);
  }
  /// Sends what was written there. Failures: in_child, not_found.
  Result<void> send(QueueLoan<M>&& loan, Priority priority = lowest_priority) {
    QueuePort* const port = std::exchange(loan.port_, nullptr);
    expects(port == port_.get(), "what a queue has lent goes back to it, once");
    return port->commit(loan.held_, loan.length_, priority);
  }

  /// Takes the first message, and it is gone. Outcomes: timed_out, stopped, closed. Failures: corrupt, in_child,
  /// not_found (this process's life file was removed).
  Result<Received> receive(Deadline deadline) {
    return receive_by([&] { return port_->take(deadline); });
  }
  /// At once or not at all. Outcomes: would_block, closed.
  Result<Received> try_receive() {
    return receive_by([&] { return port_->try_take(); });
  }
  struct ReceivedInto : MessageStamp {
    std::size_t count = 0;  ///< of elements
  };
  /// The same into memory of the caller's. Outcomes: also message_too_long (naming its length: it stays where it is).
  Result<ReceivedInto> receive(typename Shape::Writable into, Deadline deadline)
    requires SlicedMessage<M>
  {
    ReceivedInto received;
    return receive_with([&] { return port_->take(deadline); },
                        [&](const HeldSlot& held) -> Result<void> {
                          const auto elements = Shape::view(port_->bytes_of(held), port_->slot(held).length);
                          if (elements.size() > into.size()) {
                            return fail(too_long_for(into.size(), elements.size()));
                          }
                          std::ranges::copy(elements, into.begin());
                          static_cast<MessageStamp&>(received) = stamp_of(port_->slot(held));
                          received.count = elements.size();
                          return {};
                        })
        .transform([&] { return received; });
  }

  /// Takes the first message, for as long as this process works at it. As receive().
  Result<Taken<M>> take(Deadline deadline) { return taken(port_->take(deadline)); }
  Result<Taken<M>> try_take() { return taken(port_->try_take()); }

  /// A copy of the first message, which stays where it is; nobody takes one while it is copied. Outcomes: would_block
  /// (there is none), closed. Failures: corrupt, in_child.
  Result<Received> peek() {
    Received seen;
    auto found = port_->look_at_first([&](const QueueSlot& slot) {
      static_cast<MessageStamp&>(seen) = stamp_of(slot);
      const bool is_sound = Shape::is_sound(slot.length);
      if (is_sound) {
        Shape::copy(seen.value, port_->memory().bytes_of(slot), slot.length);
      }
      return is_sound;
    });
    if (!found || !*found) {
      return fail(!found ? std::move(found.error()) : not_its_type("Queue::peek"));
    }
    return seen;
  }

  /// For poll(2) and the Dispatcher: readable once there may be a message that was not there when try_receive() or
  /// try_take() said would_block, and once in each 50 ms; until they say so again. Failures: limit_reached
  /// (descriptors), no_space, permission_denied, in_child, closed.
  Result<FdView> fd() { return port_->fd(QueueNews::message); }
  /// The same for room, and try_send().
  Result<FdView> fd_for_room() { return port_->fd(QueueNews::room); }

  /// What it holds. Looks at each slot.
  QueueFill fill() const noexcept { return port_->fill(); }
  /// How this handle waits from now on: adaptive at first.
  void wait_by(Waiting waiting) noexcept { port_->wait_by(waiting); }
  const std::string& name() const noexcept { return port_->name(); }

 private:
  explicit Queue(std::unique_ptr<QueuePort> port) noexcept : port_(std::move(port)) {}
  static Result<Queue> made(Result<std::unique_ptr<QueuePort>> port) {
    return std::move(port).transform([](std::unique_ptr<QueuePort> opened) { return Queue(std::move(opened)); });
  }

  Result<void> send_claimed(const Result<HeldSlot>& held, Bytes bytes, Priority priority) {
    if (!held) [[unlikely]] {
      return fail(Error(held.error()));
    }
    std::ranges::copy(bytes, port_->bytes_of(*held));
    return port_->commit(*held, bytes.size(), priority);
  }
  Result<QueueLoan<M>> lend(std::uint64_t bytes, Deadline deadline) {
    return port_->claim(bytes, deadline).transform([&](const HeldSlot& held) {
      return QueueLoan<M>(*port_, held, bytes);
    });
  }
  Result<Taken<M>> taken(const Result<HeldSlot>& held) {
    if (!held) [[unlikely]] {
      return fail(Error(held.error()));
    }
    if (!Shape::is_sound(port_->slot(*held).length)) [[unlikely]] {
      port_->deliver(*held);
      return fail(not_its_type("Queue::take"));
    }
    return Taken<M>(*port_, *held);
  }
  // Whoever was taken for dead meanwhile has copied what is another's by now, and is told so by the next take.
  template <class Take, class Copy>
  Result<void> receive_with(Take take, Copy copy) {
    while (true) {
      auto held = take();
      if (!held) [[unlikely]] {
        return fail(std::move(held.error()));
      }
      if (!Shape::is_sound(port_->slot(*held).length)) [[unlikely]] {
        port_->deliver(*held);
        return fail(not_its_type("Queue::receive"));
      }
      if (Result<void> copied = copy(*held); !copied) [[unlikely]] {
        static_cast<void>(port_->put_back(*held));
        return copied;
      }
      if (port_->deliver(*held)) [[likely]] {
        return {};
      }
    }
  }
  template <class Take>
  Result<Received> receive_by(Take take) {
    Result<Received> received(std::in_place);
    auto done = receive_with(take, [&](const HeldSlot& held) -> Result<void> {
      const QueueSlot& slot = port_->slot(held);
      static_cast<MessageStamp&>(*received) = stamp_of(slot);
      Shape::copy(received->value, port_->bytes_of(held), slot.length);
      return {};
    });
    if (!done) [[unlikely]] {
      received = fail(std::move(done.error()));
    }
    return received;
  }
  Error not_its_type(const char* call) const {
    return Error(Errc::corrupt, call).on(name()).because("a message is not as long as its type");
  }
  Error too_long_for(std::size_t room, std::size_t count) const {
    return Error(Errc::message_too_long, "Queue::receive")
        .on(name())
        .with(
            {.name = "elements that there is room for", .value = room, .wanted = count, .remedy = "give it more room"});
  }

  std::unique_ptr<QueuePort> port_;  // at one place, wherever the queue is moved
};

}  // namespace tenon
