#pragma once
/// The end of a pipe or FIFO that bytes go into. pipe(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/pipe_end.hpp>
#include <tenon/os/sigpipe.hpp>

namespace tenon {

/// No call raises SIGPIPE: a pipe that nobody reads any more is the outcome `closed`.
///
/// Threads: any call but close, into_fd and moves may be made by several at once; what one call writes is in one piece
/// up to pipe_atomic_size. fork: works in the child. Calls with try_, a deadline or a stop and the open file
/// description: as for ReadEnd.
class WriteEnd {
 public:
  /// Takes over the write end of a pipe or FIFO.
  static WriteEnd adopt(Fd fd) noexcept { return WriteEnd(std::move(fd)); }

  /// Writes all of it; returns fewer than from.size() only if something went wrong after the first bytes, and then the
  /// next call tells what. Up to pipe_atomic_size bytes go wholly or not at all. Outcomes: timed_out, stopped, closed
  /// (no reader is left). write(2)
  [[gnu::always_inline]] Result<std::size_t> write(Bytes from, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return write_until(from, deadline);
    }
    const ssize_t written = write_by_one_call(fd_.raw(), from);
    if (written == static_cast<ssize_t>(from.size())) [[likely]] {
      return from.size();
    }
    return write_on(from, written, deadline);
  }
  /// Writes what there is room for. Outcomes: would_block, closed.
  [[gnu::always_inline]] Result<std::size_t> try_write(Bytes from) {
    const ssize_t written = write_by_one_call(fd_.raw(), from, mode_.non_blocking() ? 0 : RWF_NOWAIT);
    if (written >= 0) [[likely]] {
      return static_cast<std::size_t>(written);
    }
    if (errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "write", EAGAIN);
    }
    return try_write_on(from);
  }

  /// Hands the very pages of `from` over instead of copying them. They must stay unchanged until the reader has
  /// consumed them; returns how many bytes it took. Outcomes: timed_out, stopped, closed. vmsplice(2)
  Result<std::size_t> vmsplice_from(Bytes from, Deadline deadline);
  /// Moves up to `most` bytes (at least 1) from a file, socket or other pipe without copying them through this process;
  /// 0 is its end. A TCP socket that is not itself non-blocking, and has nothing, blocks beyond the deadline. Outcomes:
  /// timed_out, stopped, closed. splice(2)
  Result<std::size_t> splice_from(FdView from, std::size_t most, Deadline deadline);

  /// Waits until every reader has closed. Outcomes: timed_out, stopped.
  Result<void> wait_closed(Deadline deadline) const;

  Result<std::size_t> capacity() const { return pipe_capacity(fd()); }
  Result<std::size_t> set_capacity(std::size_t bytes) { return set_pipe_capacity(fd(), bytes); }
  Result<std::size_t> buffered() const { return pipe_buffered(fd()); }

  /// Writable when there is room for pipe_atomic_size bytes; in error when no reader is left.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  explicit WriteEnd(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<std::size_t> write_until(Bytes from, Deadline deadline);
  Result<std::size_t> write_on(Bytes from, ssize_t written, Deadline deadline);
  Result<std::size_t> write_rest(Bytes from, std::size_t done, Deadline deadline);
  Result<std::size_t> try_write_on(Bytes from);
  ssize_t write_once(Bytes from, Deadline deadline) noexcept;

  Fd fd_;
  BlockingMode mode_;
};

}  // namespace tenon
