#pragma once
/// Processes that together may hold so much memory and no more: beyond it the kernel kills. cgroups(7)
#include <cstddef>
#include <string>

namespace kit {

/// A control group of its own, with the first version of the interface or the second, whichever the machine has.
/// Removed when it goes; its processes must have ended by then.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::size_t limit);
  ~MemoryGroup();
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  /// Why there is none, for a skip; "" if there is one.
  const std::string& why_not() const noexcept { return why_not_; }
  /// From here on this process, and those that it starts, belong to it. Throws Failure.
  void join() const;

 private:
  std::string directory_;
  std::string why_not_;
};

}  // namespace kit
