#pragma once
/// A counter behind a descriptor: the doorbell that poll(2) hears. eventfd(2)
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/pipe_end.hpp>

#include <cerrno>
#include <cstdint>
#include <unistd.h>

namespace tenon {

/// What a wait takes.
enum class Taking : unsigned char {
  all,  ///< the whole count, which is 0 then: a doorbell rung many times is answered once
  one,  ///< 1 of it: a semaphore
};

/// It has no name: processes inherit its descriptor or are handed it. The count lives as long as any of them holds it,
/// and nothing comes back from a process that dies after a wait. Threads: any call but close, into_fd and moves from
/// several at once. fork: works in the child, which shares the count.
///
/// Waits tell the kernel with each call whether it may block (RWF_NOWAIT), so they keep their deadlines whatever others
/// do who share the open file description, and leave that as it is. The kernel knows nothing of the kind for posts: the
/// first post with a deadline or a stop, and try_post, make the description non-blocking for all who share it; a post
/// with a deadline sets that anew each time, try_post relies on it.
class EventFd {
 public:
  /// The largest count there can be.
  static constexpr std::uint64_t most = UINT64_MAX - 1;

  /// Close-on-exec. Failures: limit_reached (descriptors). eventfd(2)
  static Result<EventFd> create(unsigned count = 0, Taking taking = Taking::all);
  /// Takes over the descriptor of one.
  static EventFd adopt(Fd fd) noexcept { return EventFd(std::move(fd)); }

  /// Waits while the count is 0; returns what it took. Outcomes: timed_out, stopped.
  Result<std::uint64_t> wait(Deadline deadline) {
    std::uint64_t count = 0;
    if (deadline.is_unconditional() && ::read(fd_.raw(), &count, sizeof count) == sizeof count) [[likely]] {
      return count;
    }
    return wait_on(deadline);
  }
  /// Outcomes: would_block (the count is 0).
  Result<std::uint64_t> try_wait() {
    std::uint64_t count = 0;
    if (read_without_waiting(fd_.raw(), mutable_bytes_of_value(count)) == sizeof count) [[likely]] {
      return count;
    }
    if (errno == EAGAIN) {
      return Result<std::uint64_t>(std::unexpect, Errc::would_block, "read", EAGAIN);
    }
    return try_wait_on();
  }

  /// Adds to the count; waits while that would pass `most`. Outcomes: timed_out, stopped. Failures: invalid_argument
  /// (more than `most` at once).
  Result<void> post(std::uint64_t count, Deadline deadline) {
    if (deadline.is_unconditional() && ::write(fd_.raw(), &count, sizeof count) == sizeof count) [[likely]] {
      return {};
    }
    return post_on(count, deadline);
  }
  /// Rings it. Outcomes: would_block (the count would pass `most`; it is unchanged, and nobody can miss it).
  /// Failures: as post.
  Result<void> try_post(std::uint64_t count = 1) {
    if (mode_.non_blocking() && ::write(fd_.raw(), &count, sizeof count) == sizeof count) [[likely]] {
      return {};
    }
    if (mode_.non_blocking() && errno == EAGAIN) {
      return Result<void>(std::unexpect, Errc::would_block, "write", EAGAIN);
    }
    return try_post_on(count);
  }

  /// Readable when the count is not 0, writable when 1 can be added.
  FdView fd() const noexcept { return fd_.view(); }
  Fd into_fd() && noexcept { return std::move(fd_); }
  Result<void> close() && { return std::move(fd_).close(); }

 private:
  explicit EventFd(Fd fd) noexcept : fd_(std::move(fd)) {}
  Result<std::uint64_t> wait_on(Deadline deadline);
  Result<std::uint64_t> try_wait_on();
  Result<void> post_on(std::uint64_t count, Deadline deadline);
  Result<void> try_post_on(std::uint64_t count);
  ssize_t read_once(std::uint64_t& count, Deadline deadline) noexcept;

  Fd fd_;
  BlockingMode mode_;
};

}  // namespace tenon
