#pragma once
/// Runs a function in a fresh process that may not hang.
#include <kit/patience.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace kit {

struct GuardedRun {
  enum class End : std::uint8_t { finished, hung, failed };
  End end = End::finished;
  /// If it failed: what it threw, or how it died.
  std::string story;
};

/// `limit` is stretched by slowness(). A run that hangs is killed.
GuardedRun run_guarded(const std::function<void()>& body, Duration limit);

}  // namespace kit
