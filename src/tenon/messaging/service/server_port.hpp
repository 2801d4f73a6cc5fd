#pragma once
/// A server without the types of its messages. Server<Request, Response> is the handle.
///
/// Requests come in through its inbox. Each client that calls has a publisher of the server's in its own inbox, with
/// room for all that the client may have under way: so to respond never waits, and a client that reads nothing holds up
/// nobody else. To send a part of a longer response waits for the credit of that one call.
///
/// 3. Invariants. I1: each call that was taken is ended once, by an answer, a refusal, or being dropped; only then may
///    its client begin another in its place. I2: of a client `calls` are under way at most; who sends more is not
///    heard. I3: what a client's request says is copied out of its entry once, before it is believed.
/// 6. If a process dies here. The server: its clients are told once they have received what it had published, and what
///    it had not read yet is told to them as not seen. A client: what it had sent is dropped with its end, and its
///    calls under way say so.
///
/// Threads: one at a time, and so its calls. After fork() the child's copy answers in_child.
#include <tenon/messaging/service/payload.hpp>
#include <tenon/messaging/service/service_folder.hpp>
#include <tenon/messaging/service/service_options.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tenon {

/// A client, as a server sees it.
struct Caller : std::enable_shared_from_this<Caller> {
  CallSubscriber::Connection* from = nullptr;
  ServiceMember client = {.role = ServiceRole::client, .token = nobody, .life = nobody};
  std::int32_t pid = 0;
  std::unique_ptr<CallPublisher> responses = {};
  std::uint32_t calls = 0;
  std::uint32_t window = 0;
  std::uint32_t open = 0;         ///< calls that have not ended
  std::uint32_t answered = 0;     ///< of these, whose answer is out: their client may have begun the next
  std::optional<Errc> left = {};  ///< closed, peer_died, corrupt
};

/// A call that was taken.
struct TakenCall {
  Caller* caller = nullptr;
  std::uint64_t number = 0;
  Deadline deadline = never;
  HeldPayload request = {};
  std::uint32_t parts = 0;   ///< that were sent
  std::uint32_t credit = 0;  ///< so many parts more may be sent
  bool cancelled = false;
  bool in_use = false;
};

class ServerPort {
 public:
  static Result<std::unique_ptr<ServerPort>> create(const Holder& holder, std::string_view service,
                                                    const ServerOptions& options, const MessageType& type,
                                                    const PayloadRule& request, const PayloadRule& response);
  /// Closes, and drops the error. Nothing of it is held any more.
  ~ServerPort();
  ServerPort(const ServerPort&) = delete;
  ServerPort& operator=(const ServerPort&) = delete;

  /// The next call that somebody still waits for. Outcomes: timed_out, stopped. Failures: in_child, limit_reached and
  /// the like (a client cannot be answered).
  Result<TakenCall*> receive(Deadline deadline);
  /// Outcomes: would_block instead of timed_out.
  Result<TakenCall*> try_receive();
  Result<FdView> fd() { return inbox_->fd(); }

  /// A chunk to write a response into.
  Result<CallRoom> lend(TakenCall& call);
  /// A part of the response, for which it waits for credit. Outcomes: timed_out (either deadline), stopped,
  /// would_block, aborted (cancelled), closed, peer_died.
  Result<void> send(TakenCall& call, const Outgoing& part, Deadline deadline);
  Result<void> send(TakenCall& call, Bytes part, Deadline deadline);
  Result<void> send(TakenCall& call, CallRoom& part, std::uint64_t bytes, Deadline deadline);
  /// The end of the response: `last`, `end`. The call is nobody's any more. Outcomes: aborted, timed_out (it came too
  /// late), closed, peer_died.
  Result<void> end(TakenCall& call, CallKind kind, const Outgoing& last);
  Result<void> end(TakenCall& call, Bytes last);
  Result<void> end(TakenCall& call, CallRoom last, std::uint64_t bytes);
  Result<void> refuse(TakenCall& call, std::int64_t code, std::string_view text);
  void drop(TakenCall& call, DropReason reason) noexcept;
  /// Whether nobody waits for it any more: cancelled, too late, its client has left.
  bool is_cancelled(TakenCall& call);

  std::uint64_t ignored() const noexcept { return ignored_; }
  std::uint64_t unwanted() const noexcept { return unwanted_; }
  std::uint64_t longest_response() const noexcept { return response_.longest; }
  std::size_t clients() const noexcept;
  const std::string& service() const noexcept { return folder_.service(); }
  Result<void> close();

 private:
  ServerPort(const Holder& holder, ServiceFolder folder, const ServerOptions& options, const MessageType& type,
             const PayloadRule& request, const PayloadRule& response, Token token,
             std::unique_ptr<CallSubscriber> inbox);

  using Connection = CallSubscriber::Connection;
  template <class Look>
  Result<void> take_next(Look look);
  Result<void> take(Connection& from, const HeldPayload::Copy& copy);
  Result<void> take_call(Connection& from, const CallHead& head, const HeldPayload::Copy& copy);
  template <class Look>
  Result<TakenCall*> receive_by(Look look);
  void look_at_all();
  Result<Caller*> caller_of(Connection& from, const CallHead& head);
  Result<Caller*> meet(Connection& from, const CallHead& head);
  TakenCall* find(const Caller& caller, std::uint64_t number) noexcept;
  TakenCall& new_call();
  void free(TakenCall& call) noexcept;
  void caller_left(const EndpointName& name, Errc how);
  Result<void> check_wanted(TakenCall& call);
  Result<void> wait_for_credit(TakenCall& call, Deadline deadline);
  Result<void> answer(TakenCall& call, CallKind kind, const Outgoing& last, bool& sent);
  Result<void> publish(TakenCall& call, CallKind kind, std::int64_t detail, const Outgoing& out);
  void forget_callers();

  Holder holder_;
  ServiceFolder folder_;
  TopicCensus census_;
  ServerOptions options_;
  MessageType type_;
  PayloadRule request_;
  PayloadRule response_;
  Token token_;
  std::unique_ptr<CallSubscriber> inbox_;
  std::vector<std::shared_ptr<Caller>> callers_ = {};
  std::vector<std::unique_ptr<TakenCall>> calls_ = {};
  std::vector<TakenCall*> free_ = {};
  std::deque<TakenCall*> waiting_ = {};
  std::uint64_t ignored_ = 0;
  std::uint64_t unwanted_ = 0;
  bool closed_ = false;
};

}  // namespace tenon
