#pragma once
/// The ends of members' processes, as far as pidfds tell of them. pidfd_open(2), epoll(7)
///
/// A pidfd tells the end of a process, which is not yet the end of a life: whoever shares its descriptors keeps the
/// lock. Whoever is told here looks at the life file.
///
/// Threads: one at a time.
#include <tenon/os/fd.hpp>
#include <tenon/os/life_peer.hpp>

#include <map>
#include <vector>

namespace tenon {

class LifeEnds {
 public:
  /// Failures: limit_reached (descriptors).
  static Result<LifeEnds> create();

  /// Readable when drain() has somebody to tell of.
  FdView fd() const noexcept { return epoll_.view(); }

  /// Tells of this member's process from now on, for a descriptor. Does nothing for one of another PID namespace, one
  /// that has ended, or where the descriptors are used up: so who adds looks at the lock from time to time as well.
  void add(const Member& who, const Peer& peer);
  void remove(Token token);

  /// Those whose processes have ended, each once. Never waits.
  std::vector<Token> drain();

 private:
  explicit LifeEnds(Fd epoll) noexcept : epoll_(std::move(epoll)) {}

  Fd epoll_;
  std::map<Token, Fd> pidfds_ = {};
};

}  // namespace tenon
