#pragma once
/// This process's part in recording the order of locks: the domain, the membership, and the graph that all share.
#include <tenon/os/life.hpp>
#include <tenon/sync/lock_graph.hpp>

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace tenon {

class LockSession {
 public:
  /// Opened in the domain of the environment by whoever needs it first, and anew in a forked child, or after the graph
  /// was removed. It stays where it is until the process ends, since other threads may still be at the old one.
  /// nullptr once the process is ending. Failures: those of Domain, Life and LockOrderMapping.
  static Result<LockSession*> current();

  const LockGraph& graph() const noexcept { return graph_; }
  Token token() const noexcept { return token_; }
  bool is_of_this_process() const noexcept;
  /// A free slot for a hold; if there is none, those of the dead are freed. Failures: limit_reached.
  Result<std::uint32_t> claim_hold() const;

  LockSession(const LockSession&) = delete;
  LockSession& operator=(const LockSession&) = delete;

 private:
  struct Ending;
  LockSession(Domain domain, Life life, LockGraph graph, LockSession* before) noexcept;
  static Result<LockSession*> open(LockSession* before);
  void free_what_the_dead_hold() const;

  Domain domain_;
  std::optional<Life> life_;
  LockGraph graph_;
  Token token_;
  pid_t process_;
  std::uint64_t forks_;
  [[maybe_unused]] LockSession* before_;  // so that none is lost sight of
};

}  // namespace tenon
