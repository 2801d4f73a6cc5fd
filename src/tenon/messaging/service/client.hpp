#pragma once
/// The handle of a client of a service. service.hpp
#include <tenon/messaging/service/payload_loan.hpp>
#include <tenon/messaging/service/pending_call.hpp>
#include <tenon/messaging/service/service_type.hpp>

#include <memory>
#include <string_view>

namespace tenon {

template <AnyMessage Req, AnyMessage Resp>
class Client {
  using Argument = typename PayloadArgument<Req>::Type;
  static constexpr bool lends = PayloadShape<Req>::in_chunks;

 public:
  /// Joins the service, whose servers may come later. Failures: type_mismatch (all its servers have another, naming the
  /// first field that differs), no_space, limit_reached, permission_denied, invalid_name, invalid_argument, in_child.
  static Result<Client> create(const Holder& holder, std::string_view service, const ClientOptions& options = {}) {
    return ClientPort::create(holder, service, options, service_type<Req, Resp>(), payload_rule<Req>(options.longest),
                              payload_rule<Resp>(0))
        .transform([](std::unique_ptr<ClientPort> port) { return Client(std::move(port)); });
  }

  /// Sends a copy to the server that has the fewest of this client's calls, and waits for its response. Waits for a
  /// server, too, where none is there. Outcomes: timed_out (because no server was there, or none answered), not_found
  /// (none is there, and the deadline is `immediately`), stopped, aborted (the server answered with an error:
  /// refusal(), or gave it up), closed and peer_died (its server has; the error says whether it may have seen the
  /// request). Failures: type_mismatch, message_too_long, limit_reached (chunks, descriptors), corrupt, in_child.
  Result<Response<Resp>> call(Argument request, Deadline deadline)
    requires(!TailedMessage<Req>)
  {
    return answer_of(begin(request, deadline), deadline);
  }
  /// The same of what was written in place. When nothing was sent, the loan stays the caller's.
  Result<Response<Resp>> call(PayloadLoan<Req>&& loan, Deadline deadline)
    requires(lends)
  {
    return answer_of(begin(std::move(loan), deadline), deadline);
  }
  /// What the server said in place of an answer, where the last call() was `aborted`; nullptr, where it said nothing.
  const Refusal* refusal() const noexcept { return refusal_ ? &*refusal_ : nullptr; }

  /// Sends it and does not wait for its response: at the deadline the call ends. Outcomes and failures: those of call()
  /// that come before.
  Result<PendingCall<Resp>> begin(Argument request, Deadline deadline)
    requires(!TailedMessage<Req>)
  {
    return port_->choose(deadline)
        .and_then([&](ServerLink* server) { return begin_at(*server, request, deadline); })
        .transform([&](BegunCall* call) { return PendingCall<Resp>(*port_, *call); });
  }
  Result<PendingCall<Resp>> begin(PayloadLoan<Req>&& loan, Deadline deadline)
    requires(lends)
  {
    expects(loan.room().chunk.data() != nullptr, "a loan is sent once");
    auto& server = *static_cast<ServerLink*>(loan.room().owner.get());
    return port_->begin(server, loan.room(), loan.bytes(), deadline).transform([&](BegunCall* call) {
      return PendingCall<Resp>(*port_, *call);
    });
  }

  /// Room to write a request in place, of a server that is chosen now; waits for one as call() does. Outcomes and
  /// failures: those of call() that come before, limit_reached (all chunks are lent or held).
  Result<PayloadLoan<Req>> loan(Deadline deadline)
    requires(lends && !SlicedMessage<Req>)
  {
    return room(deadline).transform([&](CallRoom room) {
      if constexpr (TailedMessage<Req>) {
        return PayloadLoan<Req>(std::move(room), port_->longest_request());
      } else {
        return PayloadLoan<Req>(std::move(room));
      }
    });
  }
  /// Of so many elements. Outcomes: also message_too_long.
  Result<PayloadLoan<Req>> loan(std::size_t count, Deadline deadline)
    requires(SlicedMessage<Req>)
  {
    constexpr std::size_t each = sizeof(typename SliceElement<Req>::Type);
    if (count > port_->longest_request() / each) {
      return fail(too_long("loan", port_->longest_request(), count * each));
    }
    return room(deadline).transform([&](CallRoom room) { return PayloadLoan<Req>(std::move(room), count); });
  }

  /// Servers that are there now.
  std::size_t servers() { return port_->servers(); }
  /// Messages in its inbox that were of no call of its own.
  std::uint64_t ignored() const noexcept { return port_->ignored(); }
  /// Readable while a response may be there, as Subscriber::fd(), whose rules it has; each PendingCall has its own.
  Result<FdView> fd() { return port_->fd(); }
  /// Leaves. Nothing of it is held or pending any more. Failures: in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit Client(std::unique_ptr<ClientPort> port) noexcept : port_(std::move(port)) {}

  Result<CallRoom> room(Deadline deadline) {
    return port_->choose(deadline).and_then([&](ServerLink* server) { return port_->lend(*server); });
  }
  // What fits into an entry is copied by its type, at a length that is known.
  Result<BegunCall*> begin_at(ServerLink& server, Argument request, Deadline deadline) {
    const Bytes bytes = PayloadArgument<Req>::bytes(request);
    if constexpr (!lends) {
      return port_->begin(server, Outgoing::copy_of(bytes.template first<sizeof(Req)>()), deadline);
    } else {
      return port_->begin(server, bytes, deadline);
    }
  }
  Result<Response<Resp>> answer_of(Result<PendingCall<Resp>> call, Deadline deadline) {
    refusal_.reset();
    if (!call) {
      return fail(std::move(call.error()));
    }
    auto answer = call->answer(deadline);
    if (!answer) [[unlikely]] {
      refusal_ = call->refusal() != nullptr ? std::optional(*call->refusal()) : std::nullopt;
    }
    return answer;
  }

  std::unique_ptr<ClientPort> port_;
  std::optional<Refusal> refusal_ = {};
};

}  // namespace tenon
