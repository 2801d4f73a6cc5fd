#pragma once
/// What poll(2) hears of a topic: a datagram socket in its directory, which publishers ring as they wake who sleeps,
/// and a clock that rings once in each recheck_interval, since whoever is to ring may die before. unix(7),
/// timerfd_create(2)
///
/// Threads: one at a time.
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/messaging/topic/topic_folder.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <sys/types.h>

namespace tenon {

/// A subscriber's.
class WakeSocket {
 public:
  /// Failures: limit_reached (descriptors), no_space, permission_denied, would_block (somebody keeps the topic's
  /// directory locked).
  static Result<WakeSocket> create(const TopicFolder& folder, Token subscriber);
  /// One that `bind` gives its name, elsewhere than in a topic. Failures: also those of `bind`.
  static Result<WakeSocket> create(const std::function<Result<void>(FdView)>& bind);

  /// Readable at first, once it was rung, and for the recheck, until silence().
  FdView fd() const noexcept { return both_.view(); }
  void silence() noexcept;
  /// The clock rings then too (CLOCK_MONOTONIC, nanoseconds); 0: at the rechecks alone.
  void ring_at(std::int64_t due) noexcept;

 private:
  WakeSocket(Fd both, UnixDatagram rung, Fd clock)
      : both_(std::move(both)), rung_(std::move(rung)), clock_(std::move(clock)) {}

  Fd both_;  // an epoll instance of the other two
  UnixDatagram rung_;
  Fd clock_;
  std::int64_t due_ = 0;
};

/// A publisher's: one socket without a name, made when it first rings.
class WakeRinger {
 public:
  /// Never waits. Whom it does not reach hears its own clock.
  void ring(const TopicFolder& folder, Token subscriber, uid_t owner);
  void ring(const UnixAddress& address, uid_t owner);

 private:
  std::optional<UnixDatagram> socket_ = {};
};

}  // namespace tenon
