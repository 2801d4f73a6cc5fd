#include <tenon/os/read_end.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/sigpipe.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace tenon {

namespace {

// Moves bytes on with `transfer`, and when it would block waits for whichever side is not ready.
template <class Transfer>
Result<std::size_t> transfer_until(const char* call, FdView from, FdView to, Deadline deadline, Transfer transfer) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, call);
  }
  while (true) {
    const ssize_t moved = without_sigpipe(transfer);
    if (moved >= 0) {
      return static_cast<std::size_t>(moved);
    }
    if (errno != EAGAIN && errno != EINTR) {
      return fail(os_failure(call, errno));
    }
    if (auto readable = wait_ready(from, Ready::reading, deadline); !readable) {
      return fail(std::move(readable.error()));
    }
    if (auto writable = wait_ready(to, Ready::writing, deadline); !writable) {
      return fail(std::move(writable.error()));
    }
  }
}

// The kernel answers 0 to whoever asks for nothing, which must not be taken for the end.
Fail asked_for_nothing(const char* call) {
  return fail(Error(Errc::invalid_argument, call).because("0 bytes asked for; 0 would mean the end of the stream"));
}

}  // namespace

Result<std::size_t> ReadEnd::end_of(MutableBytes into) {
  return into.empty() ? asked_for_nothing("read") : Result<std::size_t>(0);
}

Result<std::size_t> ReadEnd::read_until(MutableBytes into, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "read");
  }
  if (auto set = mode_.make_non_blocking(fd()); !set) {
    return fail(std::move(set.error()));
  }
  const ssize_t got = ::read(fd_.raw(), into.data(), into.size());
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
    got = ::read(fd_.raw(), into.data(), into.size());
  }
  return got == 0 ? end_of(into) : Result<std::size_t>(static_cast<std::size_t>(got));
}

Result<std::size_t> ReadEnd::try_read_first(MutableBytes into) {
  if (auto set = mode_.make_non_blocking(fd()); !set) {
    return fail(std::move(set.error()));
  }
  return try_read(into);
}

// After a first read that gave nothing; errno is what that left.
Result<std::size_t> ReadEnd::try_read_on(MutableBytes into, ssize_t got) {
  while (got == -1 && errno == EINTR) {
    got = ::read(fd_.raw(), into.data(), into.size());
  }
  if (got == -1) {
    return fail(os_failure("read", errno));
  }
  return got == 0 ? end_of(into) : Result<std::size_t>(static_cast<std::size_t>(got));
}

Result<std::size_t> ReadEnd::splice_to(FdView to, std::size_t most, Deadline deadline) {
  if (most == 0) {
    return asked_for_nothing("splice");
  }
  return transfer_until("splice", fd(), to, deadline, [&] {
    return ::splice(fd_.raw(), nullptr, to.raw(), nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  });
}

Result<std::size_t> ReadEnd::tee_to(FdView pipe, std::size_t most, Deadline deadline) {
  if (most == 0) {
    return asked_for_nothing("tee");
  }
  return transfer_until("tee", fd(), pipe, deadline,
                        [&] { return ::tee(fd_.raw(), pipe.raw(), most, SPLICE_F_NONBLOCK); });
}

}  // namespace tenon
