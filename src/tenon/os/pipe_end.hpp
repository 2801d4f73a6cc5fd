#pragma once
/// What the two ends of a pipe or FIFO have in common. pipe(7), fcntl(2)
#include <tenon/os/fd.hpp>

#include <atomic>
#include <cstddef>

namespace tenon {

/// Writes of up to this many bytes are never interleaved with those of other writers (PIPE_BUF).
inline constexpr std::size_t pipe_atomic_size = 4096;

/// Bytes that a pipe holds before its writer waits (F_GETPIPE_SZ).
Result<std::size_t> pipe_capacity(FdView end);
/// Asks for at least `bytes`; returns what the kernel gave, a power of two of pages. Outcomes: would_block (it holds
/// more than that now: drain it first). Failures: limit_reached (without CAP_SYS_RESOURCE fs.pipe-max-size for one pipe
/// and fs.pipe-user-pages-soft for all of a user's; 1 GiB for anybody).
Result<std::size_t> set_pipe_capacity(FdView end, std::size_t bytes);
/// Bytes written and not yet read (FIONREAD).
Result<std::size_t> pipe_buffered(FdView end);
/// True if the descriptor is an end of a pipe or FIFO.
bool is_pipe(FdView fd) noexcept;

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

 private:
  Result<void> set(FdView fd);
  std::atomic<bool> non_blocking_ = false;
};

}  // namespace tenon
