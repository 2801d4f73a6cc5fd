#pragma once
/// A call that was begun, and what comes back. service.hpp
#include <tenon/messaging/service/client_port.hpp>
#include <tenon/messaging/service/received.hpp>

namespace tenon {

/// A response, or a part of one. It goes before its client does.
template <class M>
class Response : public Received<M> {
 public:
  explicit Response(ArrivedPart part) noexcept
      : Received<M>(std::move(part.payload)), number_(part.number), last_(part.last) {}
  /// The how-manieth part it is, from 0 on.
  std::uint32_t number() const noexcept { return number_; }
  /// Nothing follows: known of what was answered at once, and not of a part that the server sent before it ended.
  bool is_last() const noexcept { return last_; }

 private:
  std::uint32_t number_;
  bool last_;
};

/// Of the response's type. Dropped, it is cancelled. It goes before its client does.
template <class M>
class PendingCall {
 public:
  PendingCall(PendingCall&& other) noexcept : port_(std::exchange(other.port_, nullptr)), call_(other.call_) {}
  PendingCall& operator=(PendingCall&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(call_, other.call_);
    return *this;
  }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  ~PendingCall() {
    if (port_ != nullptr) {
      port_->forget(*call_);
    }
  }

  /// The next part of the response; nothing, once it has ended. Outcomes: timed_out (this deadline, or that of the
  /// call, which ends it: is_done()), stopped (by the deadline's stop, or it was cancelled), aborted (the server
  /// answered with an error, which refusal() tells, or gave it up), closed and peer_died (its server has;
  /// may_have_been_seen()). Failures: limit_reached (so many responses are held), corrupt (the server wrote what cannot
  /// be), in_child.
  Result<std::optional<Response<M>>> receive(Deadline deadline) { return typed(port_->receive(*call_, deadline)); }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<std::optional<Response<M>>> try_receive() { return typed(port_->try_receive(*call_)); }
  /// The response of a call that has one. Outcomes: as receive(); aborted, where the server ended it without.
  Result<Response<M>> answer(Deadline deadline) {
    auto part = receive(deadline);
    if (!part) {
      return fail(std::move(part.error()));
    }
    return *part
               ? Result<Response<M>>(std::move(**part))
               : fail(Error(Errc::aborted, "call").on(port_->service()).because("the server ended it without a word"));
  }

  /// Nobody wants it any more; its server is told.
  void cancel() { port_->cancel(*call_); }
  /// Whether nothing more comes but what receive() has still to tell.
  bool is_done() const noexcept { return call_->end != BegunCall::End::none; }
  /// Once it has ended: whether its server may have begun with it. Not, where it left or died before it had looked.
  bool may_have_been_seen() const noexcept { return call_->may_have_been_seen; }
  /// What the server said in place of an answer, after `aborted`; nullptr, where it said nothing.
  const Refusal* refusal() const noexcept { return call_->end == BegunCall::End::refused ? &call_->refusal : nullptr; }
  /// The process that serves it.
  pid_t server() const noexcept { return call_->server_pid; }

  /// Readable while try_receive() may have something to say, as Subscriber::fd(): a descriptor of this call's own, so
  /// that several calls of a client are awaited at once. It lasts as long as the call. Failures: limit_reached, ….
  Result<FdView> fd() { return port_->fd(*call_); }

 private:
  template <AnyMessage Request, AnyMessage Answer>
  friend class Client;
  PendingCall(ClientPort& port, BegunCall& call) noexcept : port_(&port), call_(&call) {}

  static Result<std::optional<Response<M>>> typed(Result<std::optional<ArrivedPart>> part) {
    if (!part) {
      return fail(std::move(part.error()));
    }
    return *part ? std::optional<Response<M>>(std::in_place, std::move(**part)) : std::optional<Response<M>>();
  }

  ClientPort* port_;
  BegunCall* call_;
};

}  // namespace tenon
