#pragma once
/// This process's membership in a domain: who may be told to be alive, and when it is not. docs/liveness.md
///
/// A member holds one locked file in the domain's directory. It is whole and locked before it gets its name, so others
/// never see half of it; the kernel drops the lock when the process dies. Nothing needs to run meanwhile: there is no
/// heartbeat, and a process that is stopped stays alive.
///
/// fork: the membership is the parent's alone, the child's copy is closed and answers in_child; a child joins for
/// itself. exec: ends the membership as a death does; the new program joins anew. Several memberships of one process,
/// in one domain or in many, of one copy of the library or of several, do not disturb each other.
/// A child made by clone(CLONE_FILES) without CLONE_THREAD shares the table of descriptors itself, and with it the
/// lock: its parent is alive for as long as either of them is. Such a child must call nothing of Tenon's before it
/// executes another program: to the kernel the locks are its own, so it would find its parent dead, and with each file
/// that it opened and closed again it would end a life.
///
/// Threads: token(), who() and confirm() from any thread; leave() and the destructor once, after all others.
#include <tenon/os/life_peer.hpp>

#include <atomic>
#include <memory>

namespace tenon {

class HeldFile;

class Life {
 public:
  /// Enters the domain under a new token, and sweeps up a few of the dead on the way. Failures: no_space,
  /// permission_denied, limit_reached (descriptors, locks), not_supported (a file system without locks), not_found (the
  /// directory was removed), stale (cleaners took the file away again and again).
  static Result<Life> join(const Domain& domain);

  /// Leaves, and drops the error. In a forked child, only closes.
  ~Life();
  Life(Life&& other) noexcept;
  Life& operator=(Life&& other) noexcept;
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  /// Published: whoever learns it now finds this process alive.
  Token token() const noexcept { return name_.who.token; }
  const Member& who() const noexcept { return name_.who; }

  /// Whether others still see this member. Outcomes: not_found (its file was removed from outside: to the others it is
  /// gone for good, and has to join again). Failures: in_child.
  Result<void> confirm() const;

  /// Becomes true when this process leaves, by leave() or with the handle, and outlives it: for who goes by the token.
  std::shared_ptr<const std::atomic<bool>> left() const noexcept { return left_; }

  /// Says that it leaves, unlinks the file, then closes it. Outcomes: not_found (removed from outside before).
  /// Failures: in_child.
  Result<void> leave() &&;

 private:
  Life(Fd directory, std::unique_ptr<HeldFile> file, const LifeName& name);
  Result<void> unpublish();

  Fd directory_;
  std::unique_ptr<HeldFile> file_;
  LifeName name_;
  std::shared_ptr<std::atomic<bool>> left_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace tenon
