#pragma once
/// O_NONBLOCK, set once and remembered. fcntl(2), F_SETFL
#include <tenon/os/fd.hpp>

#include <atomic>

namespace tenon {

/// Whether an open file description is known to be non-blocking. It starts blocking, so that a call without deadline or
/// stop is one system call, and becomes non-blocking for good with the first call that may not block. Changing back
/// would let another thread's try_ call block.
class BlockingMode {
 public:
  BlockingMode() noexcept = default;
  BlockingMode(BlockingMode&& other) noexcept : non_blocking_(other.non_blocking()) {}
  BlockingMode& operator=(BlockingMode&& other) noexcept {
    // relaxed: a handle is moved while no other thread uses it
    non_blocking_.store(other.non_blocking(), std::memory_order_relaxed);
    return *this;
  }
  ~BlockingMode() = default;
  BlockingMode(const BlockingMode&) = delete;
  BlockingMode& operator=(const BlockingMode&) = delete;

  bool non_blocking() const noexcept {
    return non_blocking_.load(std::memory_order_relaxed);  // the flag itself is in the kernel, this only spares a call
  }
  Result<void> make_non_blocking(FdView fd) { return non_blocking() ? Result<void>() : set(fd); }
  /// Asks the kernel whether it still is, and sets it again if somebody who shares the description has cleared it.
  Result<void> keep_non_blocking(FdView fd) { return set(fd); }

 private:
  Result<void> set(FdView fd);
  std::atomic<bool> non_blocking_ = false;
};

}  // namespace tenon
