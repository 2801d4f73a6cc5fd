#pragma once
/// What the two ends of a pipe or FIFO have in common. pipe(7), fcntl(2)
#include <tenon/os/blocking_mode.hpp>
#include <tenon/os/fd.hpp>

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

}  // namespace tenon
