#pragma once
/// The end of a pipe or FIFO that bytes come out of. pipe(7)
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/pipe_end.hpp>

#include <cerrno>
#include <sys/types.h>
#include <unistd.h>

namespace tenon {

/// Threads: any call but close, into_fd and moves may be made by several at once; each byte goes to one of them.
/// fork: works in the child. Calls with try_, a deadline or a stop keep it whatever others do who share the open file
/// description, and leave that as it is, if this is a pipe and the kernel takes RWF_NOWAIT for it. A FIFO's
/// description, and a pipe's on older kernels, becomes non-blocking with the first such call, for all who share it (a
/// forked child, the other holder of an inherited descriptor); one of them who clears O_NONBLOCK again breaks the
/// deadlines here.
class ReadEnd {
 public:
  /// Takes over the read end of a pipe or FIFO.
  static ReadEnd adopt(Fd fd) noexcept { return ReadEnd(std::move(fd)); }

  /// Takes the bytes that are there, at least one, at most into.size(). 0 is the end: every writer has closed and all
  /// is read. Outcomes: timed_out, stopped. Failures: invalid_argument (`into` is empty, so 0 would be no answer).
  /// read(2)
  Result<std::size_t> read(MutableBytes into, Deadline deadline) {
    if (!deadline.is_unconditional()) {
      return read_until(into, deadline);
    }
    const ssize_t got = ::read(fd_.raw(), into.data(), into.size());
    if (got > 0) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    return read_on(into, got, deadline);
  }
  /// Outcomes: would_block (empty, but somebody may still write; 0 tells that nobody can).
  [[gnu::always_inline]] Result<std::size_t> try_read(MutableBytes into) {
    const ssize_t got =
        mode_.non_blocking() ? ::read(fd_.raw(), into.data(), into.size()) : read_without_waiting(fd_.raw(), into);
    if (got > 0) [[likely]] {
      return static_cast<std::size_t>(got);
    }
    if (got == -1 && errno == EAGAIN) {
      return Result<std::size_t>(std::unexpect, Errc::would_block, "read", EAGAIN);
    }
    return try_read_on(into, got);
  }

  /// Moves up to `most` bytes (at least 1) to a file, socket or other pipe without copying them through this process; 0
  /// is the end. A socket that is not itself non-blocking, and has no room, blocks beyond the deadline. Outcomes:
  /// timed_out, stopped, closed (the other side has no reader). splice(2)
  Result<std::size_t> splice_to(FdView to, std::size_t most, Deadline deadline);
  /// Copies up to `most` bytes (at least 1) into another pipe and leaves them here too; 0 is the end. Outcomes:
  /// timed_out, stopped, closed. tee(2)
  Result<std::size_t> tee_to(FdView pipe, std::size_t most, Deadline deadline);

  Result<std::size_t> capacity() const { return pipe_capacity(fd()); }
  Result<std::size_t> set_capacity(std::size_t bytes) { return set_pipe_capacity(fd(), bytes); }
  Result<std::size_t> buffered() const { return pipe_buffered(fd()); }

  /// Readable when bytes or the end are there.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  explicit ReadEnd(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<std::size_t> read_until(MutableBytes into, Deadline deadline);
  Result<std::size_t> read_on(MutableBytes into, ssize_t got, Deadline deadline);
  Result<std::size_t> try_read_on(MutableBytes into, ssize_t got);
  ssize_t read_once(MutableBytes into, Deadline deadline) noexcept;
  static Result<std::size_t> end_of(MutableBytes into);

  Fd fd_;
  BlockingMode mode_;
};

}  // namespace tenon
