#pragma once
/// A machine with each mechanism in use, made by calls of the C library alone, for several tools to look at.
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace parity {

/// The processes that use them. They stand still until they are ended.
struct Machine {
  pid_t maker;   ///< has made everything, and holds it
  pid_t heir;    ///< has inherited all of its descriptors and maps
  pid_t waiter;  ///< likewise, and sleeps in semop(2)

  std::vector<pid_t> all() const { return {maker, heir, waiter}; }
  /// "17,18,19"
  std::string list() const;
  bool has(long pid) const { return pid == maker || pid == heir || pid == waiter; }
};

/// Runs `look` in namespaces in which there is nothing else; what was made is gone afterwards. The test is skipped,
/// with the reason, where `tool` is not installed or such namespaces cannot be had.
void on_machine(const char* tool, const std::function<void(const Machine&)>& look);

}  // namespace parity
