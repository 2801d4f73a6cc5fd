#include <tenon/os/write_end.hpp>

#include <tenon/os/poll.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/os/transfer.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tenon {

namespace {

// As write(): what already went counts more than why the rest did not, which the next call tells.
Result<std::size_t> short_or(std::size_t done, Error error) {
  return done > 0 ? Result<std::size_t>(done) : fail(std::move(error));
}

}  // namespace

// One write, which waits only if nothing but room or the last reader's end may end the wait.
ssize_t WriteEnd::write_once(Bytes from, Deadline deadline) noexcept {
  if (!deadline.is_unconditional() && !mode_.non_blocking()) {
    const ssize_t written = write_by_one_call(fd_.raw(), from, RWF_NOWAIT);
    if (written != -1 || !refused_one_call() || !mode_.make_non_blocking(fd())) {
      return written;
    }
  }
  return write_quietly(fd_.raw(), from);
}

Result<std::size_t> WriteEnd::write_until(Bytes from, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "write");
  }
  const ssize_t written = write_once(from, deadline);
  if (written == static_cast<ssize_t>(from.size())) [[likely]] {
    return from.size();
  }
  return write_on(from, written, deadline);
}

// After a first write that did not take all of it; errno is what that left.
Result<std::size_t> WriteEnd::write_on(Bytes from, ssize_t written, Deadline deadline) {
  if (written == -1 && refused_one_call()) {
    written = write_once(from, deadline);
  }
  if (written == -1 && errno != EAGAIN && errno != EINTR) {
    return fail(os_failure("write", errno));
  }
  return write_rest(from, written > 0 ? static_cast<std::size_t>(written) : 0, deadline);
}

Result<std::size_t> WriteEnd::write_rest(Bytes from, std::size_t done, Deadline deadline) {
  while (done < from.size()) {
    if (auto ready = wait_ready(fd(), Ready::writing, deadline); !ready) {
      return short_or(done, std::move(ready.error()));
    }
    const ssize_t written = write_once(from.subspan(done), deadline);
    if (written == -1 && errno != EAGAIN && errno != EINTR) {
      return short_or(done, os_failure("write", errno));
    }
    done += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  return done;
}

// After a first write that failed otherwise than for want of room; errno is what that left.
Result<std::size_t> WriteEnd::try_write_on(Bytes from) {
  ssize_t written = -1;
  if (refused_one_call()) {
    written = write_once(from, immediately);
  }
  while (written == -1 && errno == EINTR) {
    written = write_once(from, immediately);
  }
  return written == -1 ? Result<std::size_t>(fail(os_failure("write", errno)))
                       : Result<std::size_t>(static_cast<std::size_t>(written));
}

Result<std::size_t> WriteEnd::vmsplice_from(Bytes from, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "vmsplice");
  }
  const iovec whole{.iov_base = const_cast<std::byte*>(from.data()), .iov_len = from.size()};
  while (true) {
    const ssize_t taken = without_sigpipe([&] { return ::vmsplice(fd_.raw(), &whole, 1, SPLICE_F_NONBLOCK); });
    if (taken >= 0) {
      return static_cast<std::size_t>(taken);
    }
    if (errno != EAGAIN && errno != EINTR) {
      return fail(os_failure("vmsplice", errno));
    }
    if (auto ready = wait_ready(fd(), Ready::writing, deadline); !ready) {
      return fail(std::move(ready.error()));
    }
  }
}

Result<std::size_t> WriteEnd::splice_from(FdView from, std::size_t most, Deadline deadline) {
  return splice_between(from, fd(), most, deadline);
}

Result<void> WriteEnd::wait_closed(Deadline deadline) const {
  return wait_ready(fd(), Ready::nothing, deadline).transform([](Ready) {});
}

}  // namespace tenon
