#include <tenon/os/sigpipe.hpp>

#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <ctime>

namespace tenon {

namespace {

sigset_t only_sigpipe() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

bool sigpipe_pending() noexcept {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

SigpipeHeld::SigpipeHeld() noexcept {
  const sigset_t set = only_sigpipe();
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  // Where it was not blocked, it cannot have been pending: this thread would have had it.
  was_pending_ = ::sigismember(&before_, SIGPIPE) == 1 && sigpipe_pending();
}

void SigpipeHeld::take() const noexcept {
  if (was_pending_) {
    return;  // it merged with one that is somebody else's, and that one stays
  }
  const int saved = errno;
  const sigset_t set = only_sigpipe();
  const timespec at_once{};
  uninterrupted([&] { return ::sigtimedwait(&set, nullptr, &at_once); });
  errno = saved;
}

SigpipeHeld::~SigpipeHeld() {
  const int saved = errno;
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = saved;
}

ssize_t write_quietly(int fd, Bytes from) noexcept {
  const ssize_t written = write_by_one_call(fd, from);
  if (written >= 0 || !refused_one_call()) {
    return written;
  }
  kernel_writes_quietly.store(false, std::memory_order_relaxed);  // an old value costs one more refused call
  return without_sigpipe([&] { return ::write(fd, from.data(), from.size()); });
}

}  // namespace tenon
