#pragma once
/// One thread that serves many ports: it sleeps until one of them may have a message, and calls the function that was
/// given for it, or goes on with the coroutine that awaits it. epoll(7)
///
/// Whatever has fd() and try_receive() is a port: a topic's Subscriber, and what follows its shape.
///
/// Threads: one at a time, which is the one that calls the functions. After fork() the child makes its own.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>
#include <tenon/messaging/dispatcher/dispatch_queue.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace tenon {

/// fd() becomes readable once try_receive() has something after it has said would_block. What try_receive() fails with
/// is said once, but limit_reached, no_memory and in_child.
template <class Port>
concept PolledPort = requires(Port& port) {
  { port.fd() } -> std::same_as<Result<FdView>>;
  { port.try_receive().error() } -> std::convertible_to<const Error&>;
};

template <PolledPort Port>
class NextMessage;

class Dispatcher {
 public:
  /// Failures: limit_reached (descriptors).
  static Result<Dispatcher> create() {
    return DispatchQueue::create().transform(
        [](std::shared_ptr<DispatchQueue> queue) { return Dispatcher(std::move(queue)); });
  }

  /// From now on calls `handle` with each of the port's messages, and with each outcome and failure of its
  /// try_receive() but would_block; after a failure that is told again and again once in each 50 ms. Of many messages
  /// some are handled before the other ports have their turn. It ends with the Watch, which the function itself may
  /// drop; the port stays where it is and outlives that. Failures: those of fd(), limit_reached.
  template <PolledPort Port, class Handle>
  Result<Watch> on_message(Port& port, Handle handle) {
    return port.fd().and_then([&](FdView fd) {
      return queue_->watch(fd, [&port, handle = std::move(handle)]() mutable {
        auto received = port.try_receive();
        const Turn turn = turn_after(received);
        if (turn != Turn::nothing) {
          handle(std::move(received));
        }
        return turn;
      });
    });
  }
  /// What to co_await in a coroutine, a Task or any other: the port's next message, outcome or failure, of
  /// try_receive(), without would_block; also the failures of on_message(). The dispatcher goes on with the coroutine
  /// within run().
  template <PolledPort Port>
  NextMessage<Port> next(Port& port) {
    return NextMessage<Port>(queue_, port);
  }

  /// Serves them until finish(), or else the deadline. Outcomes: timed_out, stopped. Failures: in_child. What a
  /// function throws goes through.
  Result<void> run(Deadline deadline) { return queue_->run(deadline); }
  /// Waits until one has something, and serves those that have, once. Outcomes: timed_out, stopped.
  Result<void> run_once(Deadline deadline) { return queue_->run_once(deadline); }
  /// Ends run() once the function that calls this has returned; called before, run() ends at once.
  void finish() noexcept { queue_->finish(); }

 private:
  template <PolledPort Port>
  friend class NextMessage;
  explicit Dispatcher(std::shared_ptr<DispatchQueue> queue) noexcept : queue_(std::move(queue)) {}

  // What stays where it is is asked for again after a while; all else is said once.
  template <class Received>
  static Turn turn_after(const Received& received) noexcept {
    if (received) {
      return Turn::more;
    }
    const Errc code = received.error().code();
    const bool stays = code == Errc::limit_reached || code == Errc::no_memory || code == Errc::in_child;
    return code == Errc::would_block ? Turn::nothing : stays ? Turn::failed : Turn::more;
  }

  std::shared_ptr<DispatchQueue> queue_;
};

/// An awaitable. It ends, without a message, where its coroutine is destroyed.
template <PolledPort Port>
class NextMessage {
 public:
  using Received = decltype(std::declval<Port&>().try_receive());

  bool await_ready() { return queue_->may_go_on() && is_received(); }
  /// False: it goes on at once, since it cannot be watched.
  bool await_suspend(std::coroutine_handle<> awaiting) {
    auto watch = port_->fd().and_then([&](FdView fd) {
      return queue_->watch(fd, [this, awaiting] {
        if (!is_received()) {
          return Turn::nothing;
        }
        watch_.reset();
        awaiting.resume();  // which may be the end of this
        return Turn::nothing;
      });
    });
    if (!watch) {
      received_.emplace(fail(std::move(watch.error())));
      return false;
    }
    watch_.emplace(std::move(*watch));
    return true;
  }
  Received await_resume() { return std::move(*received_); }

 private:
  friend class Dispatcher;
  NextMessage(std::shared_ptr<DispatchQueue> queue, Port& port) noexcept : queue_(std::move(queue)), port_(&port) {}
  bool is_received() {
    received_.emplace(port_->try_receive());
    return !received_->failed_with(Errc::would_block);
  }

  std::shared_ptr<DispatchQueue> queue_;
  Port* port_;
  std::optional<Received> received_ = {};
  std::optional<Watch> watch_ = {};
};

}  // namespace tenon
