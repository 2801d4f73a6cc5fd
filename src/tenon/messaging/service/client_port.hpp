#pragma once
/// A client without the types of its messages. Client<Request, Response> is the handle.
///
/// Each call: one entry of the ring in its server's inbox. Each response: one look at the client's own. A look takes
/// what is there in its order, whichever call it belongs to; what is another's is kept for it, in this process's memory
/// or by its pin. So a response that nobody reads holds up no other, and its server has credit for `window` parts.
///
/// 3. Invariants. I1: a call is outstanding until its end has come or its server has ended, also one that was given up:
///    so a server has `max_calls` of a client's at most. I2: what a server may send without a word of the client fits
///    into its ring: response_depth(). I3: a number of a call is not used again while its process lives.
/// 6. If a process dies here. The client: its endpoints' files are a dead one's, and swept by who finds them. A server:
///    what it has published is received, and then its calls end with peer_died.
///
/// Threads: one at a time, and so what it has lent and begun. After fork() the child's copy answers in_child.
#include <tenon/messaging/service/call_bell.hpp>
#include <tenon/messaging/service/server_links.hpp>
#include <tenon/messaging/service/service_options.hpp>

#include <deque>
#include <string>

namespace tenon {

/// What a server said in place of an answer.
struct Refusal {
  std::int64_t code = 0;  ///< the application's own
  std::string text;
};

struct ArrivedPart {
  HeldPayload payload;
  std::uint32_t number = 0;
  bool last = false;
};

/// A call that was begun.
struct BegunCall {
  enum class End : std::uint8_t {
    none,
    in_order,
    refused,
    unanswered,
    too_late,
    cancelled,
    closed,
    peer_died,
    corrupt
  };
  std::uint64_t number = 0;
  ServerLink* server = nullptr;
  Deadline deadline = never;
  std::uint64_t message = 0;  ///< the number of its request among those to its server
  std::uint32_t next_part = 0;
  std::uint32_t owed = 0;  ///< parts that were received, and for which no credit was given yet
  End end = End::none;
  std::int32_t server_pid = 0;
  bool in_use = false;
  bool settled = false;      ///< nothing more comes of it from its server
  bool gave_up = false;      ///< it ended here first: what still comes of it is not wanted
  bool forgotten = false;    ///< nobody has it: it goes once it is settled
  bool owes_cancel = false;  ///< the server is to be told, once there is room
  bool may_have_been_seen = true;
  std::deque<ArrivedPart> parts = {};
  Refusal refusal = {};
  std::optional<CallBell> bell = {};
};

class ClientPort {
 public:
  /// A call's number is that of its place, below, and of all that were begun: it comes again after 2⁵² calls.
  static constexpr std::uint64_t place_bits = 12;
  static constexpr std::uint64_t most_places = std::uint64_t{1} << place_bits;

  static Result<std::unique_ptr<ClientPort>> create(const Holder& holder, std::string_view service,
                                                    const ClientOptions& options, const MessageType& type,
                                                    const PayloadRule& request, const PayloadRule& response);
  /// Closes, and drops the error. Nothing of it is held any more.
  ~ClientPort();
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;

  /// The server to call next; waits for one, and for one that has room. Outcomes: timed_out, stopped, not_found (the
  /// deadline is `immediately`, and there is none). Failures: type_mismatch, limit_reached, in_child, ….
  Result<ServerLink*> choose(Deadline deadline);
  /// A chunk of it, to write a request into.
  Result<CallRoom> lend(ServerLink& server);
  /// Sends it; the call ends at the deadline. When it fails, the chunk stays the caller's.
  Result<BegunCall*> begin(ServerLink& server, const Outgoing& request, Deadline deadline);
  /// The same of one that was lent, which is then the room no more.
  Result<BegunCall*> begin(ServerLink& server, CallRoom& room, std::uint64_t bytes, Deadline deadline);
  /// The same with a copy of the request, of any length.
  Result<BegunCall*> begin(ServerLink& server, Bytes request, Deadline deadline);

  /// The next part, or nothing once the response has ended. Outcomes: those of PendingCall::receive.
  Result<std::optional<ArrivedPart>> receive(BegunCall& call, Deadline deadline);
  Result<std::optional<ArrivedPart>> try_receive(BegunCall& call);
  /// Its server is told that nobody wants an answer any more.
  void cancel(BegunCall& call);
  /// Nobody has it any more.
  void forget(BegunCall& call);
  Result<FdView> fd() { return inbox_->fd(); }
  Result<FdView> fd(BegunCall& call);

  std::size_t servers();
  std::uint64_t ignored() const noexcept { return ignored_; }
  std::uint64_t longest_request() const noexcept { return request_.longest; }
  const std::string& service() noexcept { return links_.folder().service(); }
  Result<void> close();

 private:
  ClientPort(const Holder& holder, ServiceFolder folder, const ClientOptions& options, const MessageType& type,
             const PayloadRule& request, const PayloadRule& response, const PublisherOptions& publisher,
             const PublisherShape& shape, Token token, std::unique_ptr<CallSubscriber> inbox);

  using Connection = CallSubscriber::Connection;

  // Takes one message; returns the call that it is a part of, whose part is then in `into`, or nullptr. Outcomes: as
  // SubscriberPort::look; limit_reached.
  template <class Look>
  Result<BegunCall*> take_next(Look look, ArrivedPart& into) {
    HeldPayload::Copy copy;
    const Result<Connection*> from = look(copy);
    return take_found(from, copy, into);
  }
  Result<BegunCall*> take_found(const Result<Connection*>& from, const HeldPayload::Copy& copy, ArrivedPart& into);
  BegunCall* take(Connection& from, const HeldPayload::Copy& copy, ArrivedPart& into, bool& full);
  BegunCall* find(Connection& from, std::uint64_t number) noexcept;
  bool take_end(BegunCall& call, const CallHead& head, Connection& from, const HeldPayload::Copy& copy);
  void keep(BegunCall& call, ArrivedPart part);
  template <class Look>
  Result<std::optional<ArrivedPart>> receive_by(Look look, BegunCall& call, Deadline deadline);
  Result<void> wait_for_servers(Deadline deadline);
  Result<void> wait_for_room(ServerLink& server, Deadline deadline);
  std::optional<ArrivedPart> deliver(BegunCall& call, ArrivedPart part);
  Result<std::optional<ArrivedPart>> tell_end(BegunCall& call) const;
  bool is_over(BegunCall& call);

  BegunCall& new_call(ServerLink& server);
  void end(BegunCall& call, BegunCall::End how);
  void give_up(BegunCall& call, BegunCall::End how);
  void settle(BegunCall& call);
  void end_all_of(ServerLink& server, Errc how);
  void free(BegunCall& call);
  Result<void> say(BegunCall& call, CallKind kind, std::uint32_t count);
  void pay_what_is_owed();
  void look_after_servers();

  ClientOptions options_;
  PayloadRule request_;
  PayloadRule response_;
  std::string inbox_name_;
  std::unique_ptr<CallSubscriber> inbox_;
  ServerLinks links_;
  std::vector<std::unique_ptr<BegunCall>> calls_ = {};
  std::vector<std::uint32_t> free_ = {};
  std::uint64_t begun_ = 0;
  std::uint64_t ignored_ = 0;
  bool owes_ = false;   ///< some call owes a cancellation or credit
  bool ended_ = false;  ///< some server has ended since the last look
  bool closed_ = false;
};

}  // namespace tenon
