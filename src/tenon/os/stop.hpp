#pragma once
/// Ends waits from outside: from another thread, or from a signal handler.
///
/// A Stop is set once and stays set. Every wait whose Deadline carries it returns `stopped`, at once if it is set
/// already. Waits on descriptors poll an eventfd; waits on futex words wait on the Stop's own word too
/// (futex_waitv, Linux 5.16; on older kernels they notice within one recheck, 50 ms).
///
/// Edges: S1 store-release word (request) → load-acquire word (requested): what the requester did before is seen by
/// whoever is stopped.
///
/// Threads: request() and requested() from any thread and from signal handlers. After fork() the child's copy is
/// its own: a request in the parent ends waits of the child on descriptors, for they share the eventfd.
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace tenon {

class Stop {
 public:
  /// Failures: limit_reached (descriptors), no_memory.
  static Result<Stop> create();

  /// Sets it and wakes all. Async-signal-safe: signal-safety(7)
  void request() noexcept;
  bool requested() const noexcept;

  /// Readable once it is set.
  FdView fd() const noexcept { return fd_.view(); }
  /// 0, then 1 for good; waiters may futex-wait on it.
  const std::atomic<std::uint32_t>& word() const noexcept { return *word_; }

 private:
  Stop(Fd fd, std::unique_ptr<std::atomic<std::uint32_t>> word) : fd_(std::move(fd)), word_(std::move(word)) {}

  Fd fd_;
  std::unique_ptr<std::atomic<std::uint32_t>> word_;  // on the heap: its address holds while the handle moves
};

/// True if the deadline carries a Stop that is set.
inline bool stop_requested(Deadline deadline) noexcept {
  return deadline.stop() != nullptr && deadline.stop()->requested();
}

}  // namespace tenon
