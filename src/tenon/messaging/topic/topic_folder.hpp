#pragma once
/// A topic's directory: its endpoints' files come and go in it, and the bell stands in it. topic_layout.hpp
///
/// It is there while somebody takes part. Who comes holds a shared lock on it until its own file has its name; who
/// leaves takes an exclusive one if nobody holds another, and removes bell and directory if no endpoint is left. The
/// kernel drops the lock (flock(2)) at death, so whoever is killed at any step leaves a directory that the next one
/// uses as it is, or makes anew.
///
/// Threads: one at a time.
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/topic/endpoint_name.hpp>
#include <tenon/messaging/topic/topic_bell.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/unix_address.hpp>
#include <tenon/sync/holder.hpp>

#include <functional>
#include <vector>

namespace tenon {

/// What everybody may write: 64 bytes apart, so that one's traffic is not the other's.
struct BellPage {
  alignas(64) BellWord<> messages;  ///< for who waits for messages
  alignas(64) BellWord<> room;      ///< for publishers that wait for room
};

class TopicFolder {
 public:
  /// Opens it, or makes it. Until admit() it may be removed by who leaves. Failures: invalid_name, permission_denied,
  /// no_space, limit_reached, would_block (somebody keeps the lock all the time), in_child, not_found (the holder has
  /// left its domain).
  static Result<TopicFolder> enter(const Holder& holder, std::string_view topic);
  /// The same of a directory that is not among the topics, an inbox of a service say: `name` is for people. Its parent
  /// is there. Failures: also not_found (it is not).
  static Result<TopicFolder> enter_at(const Holder& holder, const std::string& path, std::string_view name);

  struct File {
    Fd fd;
    Mapping memory;
  };
  /// Makes an endpoint's file of so many bytes, lets `fill` write it, and gives it its name: nobody sees half of it.
  Result<File> publish(const EndpointName& name, std::size_t bytes, const std::function<void(MutableBytes)>& fill);
  /// Others may remove the directory again when nobody is in it: said once one's own file is there.
  void admit() noexcept;

  /// Everybody whose file has its name.
  Result<std::vector<EndpointName>> names() const { return EndpointName::all_in(directory_.directory()); }
  /// Whether names may have come or gone since the last call. One or two system calls.
  bool has_changed() noexcept;
  /// Opens another's file. Outcomes: not_found. Failures: permission_denied, limit_reached.
  Result<Fd> open(const EndpointName& name) const;
  /// How long it is now. Outcomes: not_found.
  Result<std::uint64_t> bytes_of(const EndpointName& name) const;
  /// And a subscriber's socket, before.
  void remove(const EndpointName& name) const noexcept;

  /// The file of a subscriber's socket (wake_socket.hpp).
  static std::string wake_name_of(Token subscriber) { return "wake." + subscriber.hex(); }
  /// Gives a socket that name, for those who may ring it. Failures: permission_denied, no_space, already_exists.
  Result<void> bind_wake(FdView socket, Token subscriber) const;
  /// What to bind and to send to: a topic's path is longer than a socket's address may be, so it goes by the
  /// directory's descriptor.
  UnixAddress wake_address_of(Token subscriber) const;

  /// Takes away the directory if nobody is left in it: said by who has just left.
  void remove_if_empty() noexcept;

  BellPage& bell() const noexcept { return *reinterpret_cast<BellPage*>(bell_.data()); }
  const std::string& topic() const noexcept { return topic_; }
  FdView directory() const noexcept { return directory_.directory(); }
  const Domain& domain() const noexcept { return directory_; }

 private:
  TopicFolder(Domain directory, Mapping bell, std::string topic)
      : directory_(std::move(directory)), bell_(std::move(bell)), topic_(std::move(topic)) {}

  Domain directory_;
  Mapping bell_;
  std::string topic_;
  std::int64_t seen_time_ = -1;
};

}  // namespace tenon
