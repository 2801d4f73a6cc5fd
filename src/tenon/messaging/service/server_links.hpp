#pragma once
/// The servers of a service, as a client sees them: an endpoint of its own in the inbox of each, and how many of its
/// calls each has.
///
/// Who is there, the service's directory says, which is looked at where it has changed; who lives, the lock on the life
/// file, which is asked once in 50 ms, as subscribers ask it of publishers.
///
/// Threads: one at a time.
#include <tenon/messaging/service/payload.hpp>
#include <tenon/messaging/service/service_folder.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace tenon {

struct ServerLink : std::enable_shared_from_this<ServerLink> {
  ServerLink(const ServiceMember& member, std::int32_t process, std::unique_ptr<CallPublisher> publisher) noexcept
      : server(member), pid(process), requests(std::move(publisher)) {}
  ServiceMember server;
  std::int32_t pid;
  std::unique_ptr<CallPublisher> requests;
  std::uint32_t outstanding = 0;   ///< calls without an answer
  std::optional<Errc> ended = {};  ///< closed, peer_died
};

class ServerLinks {
 public:
  /// `token` is the client's.
  ServerLinks(const Holder& holder, ServiceFolder folder, const PublisherOptions& options, const PublisherShape& shape,
              const MessageType& type, Token token);

  /// The one to call next: of those that live and have room for a call it is the one with the fewest of this client's
  /// calls, each in its turn among equals. Nothing, if there is none.
  ServerLink* choose(std::uint32_t max_calls) noexcept;
  /// The one by that token, if it has not ended.
  ServerLink* find(Token token) noexcept;
  bool empty() const noexcept;
  std::size_t living() const noexcept;

  /// Looks who has come. Failures: limit_reached and the like, of the first that could not be met; type_mismatch, if
  /// nobody else is there.
  Result<void> meet();
  /// Whether meet() is due, or who_has_left(): once in 50 ms, by a clock that costs nothing to read.
  bool is_due() noexcept;
  /// Calls `left` with each that closed or died, unless `may_speak` says that something may yet come of it.
  void look_who_has_left(const std::function<bool(Token)>& may_speak,
                         const std::function<void(ServerLink&, Errc)>& left);
  /// It has ended: it is called no more, and goes once nothing of it is outstanding.
  void end(ServerLink& link, Errc how);
  void forget_the_ended();

  void close();
  ServiceFolder& folder() noexcept { return folder_; }
  TopicCensus& census() noexcept { return census_; }

 private:
  Result<void> meet(const ServiceMember& server);
  Result<void> check_mismatch() const;
  // Returns its process.
  Result<std::int32_t> check_type(const TopicFolder& folder, const ServiceMember& server) const;

  Holder holder_;
  ServiceFolder folder_;
  TopicCensus census_;
  PublisherOptions options_;
  PublisherShape shape_;
  MessageType type_;
  Token token_;
  std::vector<std::shared_ptr<ServerLink>> links_ = {};
  std::vector<ServiceMember> refused_ = {};  ///< of another type, or ended, while their inboxes are there
  std::optional<Error> mismatch_ = {};
  bool unfinished_ = true;       ///< somebody has an inbox and does not subscribe in it yet
  std::size_t turn_ = SIZE_MAX;  ///< beyond all of them: not chosen yet
  std::int64_t looked_at_ = 0;
};

}  // namespace tenon
