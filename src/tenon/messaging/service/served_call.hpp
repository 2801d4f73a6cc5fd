#pragma once
/// A call that a server has taken, and is to answer. service.hpp
#include <tenon/messaging/service/payload_loan.hpp>
#include <tenon/messaging/service/received.hpp>
#include <tenon/messaging/service/server_port.hpp>

namespace tenon {

/// It is answered in any order with others. Dropped, its client is told that it was given up. It goes before its server
/// does.
template <AnyMessage Req, AnyMessage Resp>
class ServedCall {
  using Argument = typename PayloadArgument<Resp>::Type;
  static constexpr bool lends = PayloadShape<Resp>::in_chunks;

 public:
  ServedCall(ServedCall&& other) noexcept
      : port_(std::exchange(other.port_, nullptr)), call_(other.call_), request_(std::move(other.request_)) {}
  ServedCall& operator=(ServedCall&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(call_, other.call_);
    std::swap(request_, other.request_);
    return *this;
  }
  ServedCall(const ServedCall&) = delete;
  ServedCall& operator=(const ServedCall&) = delete;
  ~ServedCall() {
    if (port_ != nullptr) {
      request_.release();
      port_->drop(*call_, DropReason::unanswered);
    }
  }

  /// In its client's memory, if it is long; it goes with the call, or when it is released.
  const Received<Req>& request() const noexcept { return request_; }
  /// CLOCK_MONOTONIC; `never`, if its client waits for ever.
  Deadline deadline() const noexcept { return call_->deadline; }
  /// The process that called.
  pid_t client() const noexcept { return call_->caller->pid; }
  /// Whether nobody waits for an answer any more: it was cancelled, it is too late, or its client has left.
  bool is_cancelled() { return port_->is_cancelled(*call_); }

  /// The response, or the last part of one: a copy. Never waits. Outcomes: aborted (it was cancelled), timed_out (it is
  /// too late), closed and peer_died (its client has), of which the client hears nothing. Failures: message_too_long,
  /// limit_reached (the client holds all that there is), corrupt (its client takes no more than garbage), in_child.
  Result<void> respond(Argument response) &&
      requires(!TailedMessage<Resp>) {
        const Taken taken(*this);
        const Bytes bytes = PayloadArgument<Resp>::bytes(response);
        if constexpr (!lends) {
          return taken.port->end(taken.call, CallKind::last, Outgoing::copy_of(bytes.template first<sizeof(Resp)>()));
        } else {
          return taken.port->end(taken.call, bytes);
        }
      }
      /// The same of what was written in place.
      Result<void> respond(PayloadLoan<Resp>&& loan) &&
      requires(lends) {
        const Taken taken(*this);
        const std::uint64_t bytes = loan.bytes();
        return taken.port->end(taken.call, std::move(loan.room()), bytes);
      }

      /// A part of the response, of which others follow: a copy. Waits until the client has received all but its window
      /// of those before. Outcomes: as respond(); timed_out, stopped, would_block (this deadline, and the call goes
      /// on).
      Result<void> send(Argument part, Deadline deadline)
        requires(!TailedMessage<Resp>)
  {
    return port_->send(*call_, PayloadArgument<Resp>::bytes(part), deadline);
  }
  /// The same of what was written in place. When it fails, the loan stays the caller's.
  Result<void> send(PayloadLoan<Resp>&& loan, Deadline deadline)
    requires(lends)
  {
    return port_->send(*call_, loan.room(), loan.bytes(), deadline);
  }
  /// Nothing follows. Outcomes: as respond().
  Result<void> finish() && {
    const Taken taken(*this);
    return taken.port->end(taken.call, CallKind::end, Outgoing::nothing());
  }
  /// Ends it with an error of the application's own, which the client has by refusal(). A text of more than 240 bytes
  /// is cut there. Outcomes: as respond().
  Result<void> refuse(std::int64_t code, std::string_view text) && {
    const Taken taken(*this);
    return taken.port->refuse(taken.call, code, text);
  }

  /// Room to write a response, or a part of one, in place. It goes before this does. Outcomes: closed, peer_died.
  /// Failures: limit_reached (the client holds all that there is, or all is lent).
  Result<PayloadLoan<Resp>> loan()
    requires(lends && !SlicedMessage<Resp>)
  {
    return port_->lend(*call_).transform([&](CallRoom room) {
      if constexpr (TailedMessage<Resp>) {
        return PayloadLoan<Resp>(std::move(room), port_->longest_response());
      } else {
        return PayloadLoan<Resp>(std::move(room));
      }
    });
  }
  /// Of so many elements. Outcomes: also message_too_long.
  Result<PayloadLoan<Resp>> loan(std::size_t count)
    requires(SlicedMessage<Resp>)
  {
    constexpr std::size_t each = sizeof(typename SliceElement<Resp>::Type);
    if (count > port_->longest_response() / each) {
      return fail(too_long("loan", port_->longest_response(), count * each));
    }
    return port_->lend(*call_).transform([&](CallRoom room) { return PayloadLoan<Resp>(std::move(room), count); });
  }

 private:
  template <AnyMessage Request, AnyMessage Answer>
  friend class Server;
  ServedCall(ServerPort& port, TakenCall& call) noexcept
      : port_(&port), call_(&call), request_(std::move(call.request)) {}

  // The call is answered, and this has it no more. Its request is let go of once the answer is out.
  struct Taken {
    explicit Taken(ServedCall& from) noexcept
        : served(from), port(std::exchange(from.port_, nullptr)), call(*from.call_) {
      expects(port != nullptr, "a call is answered once");
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken() { served.request_.release(); }
    ServedCall& served;
    ServerPort* port;
    TakenCall& call;
  };

  ServerPort* port_;
  TakenCall* call_;
  Received<Req> request_;
};

}  // namespace tenon
