#pragma once
/// How many system calls the calling thread makes, counted by the kernel. perf_event_open(2)
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <utility>

namespace harness {

class SystemCalls {
 public:
  /// Starts counting for the calling thread. Failures: not_supported (no tracing file system is mounted, or no perf in
  /// this kernel), permission_denied (kernel.perf_event_paranoid).
  static tenon::Result<SystemCalls> count_own();

  /// Since it was made, without those that this class makes itself.
  std::uint64_t so_far();

 private:
  explicit SystemCalls(tenon::Fd counter) : counter_(std::move(counter)) {}
  tenon::Fd counter_;
  std::uint64_t own_ = 0;
};

}  // namespace harness
