#include <tenon/os/read_end.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/transfer.hpp>

#include <cerrno>
#include <unistd.h>

namespace tenon {

// The kernel answers 0 to whoever asks for nothing, which must not be taken for the end.
Result<std::size_t> ReadEnd::end_of(MutableBytes into) {
  if (into.empty()) {
    return fail(Error(Errc::invalid_argument, "read").because("0 bytes asked for; 0 would mean the end of the stream"));
  }
  return 0;
}

// One read, which waits only if nothing but bytes or the end may end the wait.
ssize_t ReadEnd::read_once(MutableBytes into, Deadline deadline) noexcept {
  if (!deadline.is_unconditional() && !mode_.non_blocking()) {
    const ssize_t got = read_without_waiting(fd_.raw(), into);
    if (got != -1 || !refused_one_call() || !mode_.make_non_blocking(fd())) {
      return got;
    }
  }
  return ::read(fd_.raw(), into.data(), into.size());
}

Result<std::size_t> ReadEnd::read_until(MutableBytes into, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "read");
  }
  const ssize_t got = read_once(into, deadline);
  if (got > 0) [[likely]] {
    return static_cast<std::size_t>(got);
  }
  return read_on(into, got, deadline);
}

// After a first read that gave nothing; errno is what that left.
Result<std::size_t> ReadEnd::read_on(MutableBytes into, ssize_t got, Deadline deadline) {
  while (got == -1) {
    // EAGAIN without a deadline: somebody else made the shared description non-blocking.
    if (errno != EAGAIN && errno != EINTR) {
      return fail(os_failure("read", errno));
    }
    if (errno == EAGAIN) {
      if (auto ready = wait_ready(fd(), Ready::reading, deadline); !ready) {
        return fail(std::move(ready.error()));
      }
    }
    got = read_once(into, deadline);
  }
  return got == 0 ? end_of(into) : Result<std::size_t>(static_cast<std::size_t>(got));
}

// After a first read that gave nothing; errno is what that left.
Result<std::size_t> ReadEnd::try_read_on(MutableBytes into, ssize_t got) {
  if (got == -1 && refused_one_call()) {
    got = read_once(into, immediately);
  }
  while (got == -1 && errno == EINTR) {
    got = read_once(into, immediately);
  }
  if (got == -1) {
    return fail(os_failure("read", errno));
  }
  return got == 0 ? end_of(into) : Result<std::size_t>(static_cast<std::size_t>(got));
}

Result<std::size_t> ReadEnd::splice_to(FdView to, std::size_t most, Deadline deadline) {
  return splice_between(fd(), to, most, deadline);
}

Result<std::size_t> ReadEnd::tee_to(FdView pipe, std::size_t most, Deadline deadline) {
  return tee_between(fd(), pipe, most, deadline);
}

}  // namespace tenon
