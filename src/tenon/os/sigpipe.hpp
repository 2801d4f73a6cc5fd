#pragma once
/// Keeps SIGPIPE away from whoever writes to a pipe that nobody reads any more. pipe(7), signal(7)
///
/// For calls that have no flag against it (splice, tee, vmsplice, and write before Linux 6.18). The signal is directed
/// at the writing thread, so it is blocked there for the length of the call, and taken away if the call raised it. The
/// process's dispositions are never touched, and a SIGPIPE that somebody else sends arrives.
#include <tenon/base/bytes.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TENON_UNDER_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TENON_UNDER_SANITIZER
#endif
#endif

namespace tenon {

/// Blocked in this thread for as long as it lives. Around one call, never around a wait: whoever sends a SIGPIPE means
/// it to arrive.
class SigpipeHeld {
 public:
  SigpipeHeld() noexcept;
  SigpipeHeld(const SigpipeHeld&) = delete;
  SigpipeHeld& operator=(const SigpipeHeld&) = delete;
  /// Leaves errno as it is.
  ~SigpipeHeld();

  /// Takes away the one that a call has just raised. Leaves errno as it is.
  void take() const noexcept;

 private:
  sigset_t before_;
  bool was_pending_;
};

/// Makes one call that returns -1 with EPIPE where it raises SIGPIPE.
template <class Call>
ssize_t without_sigpipe(Call call) noexcept {
  const SigpipeHeld held;
  const ssize_t returned = call();
  if (returned == -1 && errno == EPIPE) {
    held.take();
  }
  return returned;
}

/// pwritev2(2) at the file's own position, with RWF_NOSIGNAL, which Debian 12's headers do not have. Past libc, whose
/// wrapper costs more instructions than all else here; sanitizers know the wrapper alone.
[[gnu::always_inline]] inline long pwritev2_without_signal(int fd, const iovec* whole, int more_flags) noexcept {
  constexpr int without_signal = 0x100;
#ifdef TENON_UNDER_SANITIZER
  return ::pwritev2(fd, whole, 1, -1, without_signal | more_flags);
#else
  return ::syscall(SYS_pwritev2, fd, whole, 1L, -1L, -1L, without_signal | more_flags);
#endif
}

/// False once a kernel has said that it does not know RWF_NOSIGNAL.
inline std::atomic<bool> kernel_writes_quietly{true};

/// The first half of write_quietly, for callers that count instructions: one call, which returns -1 with EOPNOTSUPP on
/// kernels before Linux 6.18. `more_flags` is 0 or RWF_NOWAIT, which not everything takes: EOPNOTSUPP then too.
[[gnu::always_inline]] inline ssize_t write_by_one_call(int fd, Bytes from, int more_flags = 0) noexcept {
  // relaxed: an old value costs one more refused call
  if (!kernel_writes_quietly.load(std::memory_order_relaxed)) [[unlikely]] {
    errno = EOPNOTSUPP;
    return -1;
  }
  // The kernel does not change what iov_base points to; the type is shared with readv.
  const iovec whole{.iov_base = const_cast<std::byte*>(from.data()), .iov_len = from.size()};
  return pwritev2_without_signal(fd, &whole, more_flags);
}

/// True if errno says that the kernel does not take a flag of the call, or not for this descriptor.
inline bool refused_one_call() noexcept { return errno == EOPNOTSUPP || errno == ENOSYS; }

/// write(2) that raises no SIGPIPE: one call where the kernel can, with the signal held around it where not. Returns
/// and sets errno as write does.
ssize_t write_quietly(int fd, Bytes from) noexcept;

}  // namespace tenon
