#pragma once
/// The locks that one thread holds, and those that it is about to take.
///
/// Which they are stands in the graph, where others see it; here stands which slots of it are this thread's. A slot
/// that says nothing more was ended by another thread of the process: a permit may be given back by any.
#include <tenon/sync/lock_session.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace tenon {

class HeldLocks {
 public:
  struct Held {
    LockRef lock;
    LockIdentity identity;
    LockNode node;
    LockPlace at;
    std::uint32_t place;  ///< its number in the graph
    std::uint32_t slot;
  };
  struct Pending {
    LockRef lock;
    LockIdentity identity;
    LockNode node;
    LockPlace at;
    std::uint32_t place;
  };

  /// nullptr in a thread that is ending.
  static HeldLocks* of_this_thread();
  ~HeldLocks();
  HeldLocks(const HeldLocks&) = delete;
  HeldLocks& operator=(const HeldLocks&) = delete;

  /// Looks at this session's graph from now on. Another process's holds are forgotten; those of a graph that was
  /// removed are entered in the new one. Failures: limit_reached.
  Result<void> bring_to(LockSession& session);

  std::span<const Held> held() const noexcept { return held_; }
  /// Forgets what was about to be taken before.
  void begin() noexcept { pending_.clear(); }
  /// Failures: limit_reached.
  Result<void> about_to_take(Pending lock);
  void taken(const LockRef& lock);
  /// False if this thread does not hold it.
  bool released(const LockRef& lock);

 private:
  HeldLocks() = default;
  void forget_what_others_ended();
  void enter(Pending lock, std::uint32_t slot);

  LockSession* session_ = nullptr;
  std::vector<Held> held_;
  std::vector<Pending> pending_;
  std::vector<std::uint32_t> spares_;  // slots for what is about to be taken: at least as many
};

}  // namespace tenon
