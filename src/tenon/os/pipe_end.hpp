#pragma once
/// What the two ends of a pipe or FIFO have in common. pipe(7), fcntl(2)
#include <tenon/base/bytes.hpp>
#include <tenon/os/blocking_mode.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/sigpipe.hpp>

#include <cstddef>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

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

/// read(2) that waits for nothing, by a flag of the call (RWF_NOWAIT): what others do with the open file description
/// does not matter then, nor do they notice. FIFOs, and pipes on older kernels, refuse it (EOPNOTSUPP): BlockingMode is
/// for those, and whoever shares such a description and clears O_NONBLOCK there makes the next call wait. Past libc,
/// whose wrapper costs more instructions than all else here; sanitizers know the wrapper alone.
[[gnu::always_inline]] inline ssize_t read_without_waiting(int fd, MutableBytes into) noexcept {
  const iovec whole{.iov_base = into.data(), .iov_len = into.size()};
#ifdef TENON_UNDER_SANITIZER
  return ::preadv2(fd, &whole, 1, -1, RWF_NOWAIT);
#else
  return ::syscall(SYS_preadv2, fd, &whole, 1L, -1L, -1L, RWF_NOWAIT);
#endif
}

}  // namespace tenon
