#pragma once
/// The handle of a server of a service. service.hpp
#include <tenon/messaging/service/served_call.hpp>
#include <tenon/messaging/service/service_type.hpp>

#include <memory>
#include <string_view>

namespace tenon {

template <AnyMessage Req, AnyMessage Resp>
class Server {
 public:
  /// One more server of that service, which is made if nobody is in it. Failures: no_space, limit_reached,
  /// permission_denied, invalid_name, in_child.
  static Result<Server> create(const Holder& holder, std::string_view service, const ServerOptions& options = {}) {
    return ServerPort::create(holder, service, options, service_type<Req, Resp>(), payload_rule<Req>(0),
                              payload_rule<Resp>(options.longest))
        .transform([](std::unique_ptr<ServerPort> port) { return Server(std::move(port)); });
  }

  /// The next call that somebody still waits for; the others are told so. Several may be taken before one is answered.
  /// Outcomes: timed_out, stopped. Failures: limit_reached, no_space and the like (a client cannot be answered, whose
  /// call is not taken; the next call goes on), in_child.
  Result<ServedCall<Req, Resp>> receive(Deadline deadline) { return typed(port_->receive(deadline)); }
  /// The same without waiting. Outcomes: would_block instead of timed_out.
  Result<ServedCall<Req, Resp>> try_receive() { return typed(port_->try_receive()); }
  /// Readable while try_receive() may have something to say, as Subscriber::fd(), whose rules it has.
  Result<FdView> fd() { return port_->fd(); }

  /// Clients that have called and have not left.
  std::size_t clients() const noexcept { return port_->clients(); }
  /// Calls that nobody waited for any more when their turn came.
  std::uint64_t unwanted() const noexcept { return port_->unwanted(); }
  /// Messages in its inbox that no client of this service can have meant.
  std::uint64_t ignored() const noexcept { return port_->ignored(); }

  /// Leaves, and answers nothing more: calls under way end with `closed`. No call of it is held any more. Failures:
  /// in_child.
  Result<void> close() && { return std::exchange(port_, nullptr)->close(); }

 private:
  explicit Server(std::unique_ptr<ServerPort> port) noexcept : port_(std::move(port)) {}
  Result<ServedCall<Req, Resp>> typed(Result<TakenCall*> call) {
    return call ? Result<ServedCall<Req, Resp>>(ServedCall<Req, Resp>(*port_, **call)) : fail(std::move(call.error()));
  }

  std::unique_ptr<ServerPort> port_;
};

}  // namespace tenon
