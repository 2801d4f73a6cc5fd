#include <tenon/os/futex.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon {

namespace {

// The kernel's own struct futex_waitv and its call number; Debian 12's headers have both.
struct futex_waitv waiter(const std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  struct futex_waitv entry{};
  entry.val = expected;
  entry.uaddr = reinterpret_cast<std::uintptr_t>(&word);
  entry.flags = FUTEX_32;  // not private: the word may be shared between processes
  return entry;
}

// 0, or the errno. Without a stop one word suffices; FUTEX_WAIT_BITSET takes an absolute time.
int wait_one(const std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec& until) noexcept {
  const long returned =
      ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return returned == -1 ? errno : 0;
}

int wait_either(const std::atomic<std::uint32_t>& word, std::uint32_t expected, const Stop& stop,
                const timespec& until) noexcept {
  struct futex_waitv both[2] = {waiter(word, expected), waiter(stop.word(), 0)};
  if (::syscall(SYS_futex_waitv, both, 2, 0, &until, CLOCK_MONOTONIC) != -1) {
    return 0;
  }
  // Before Linux 5.16, and behind a sandbox's filter (which may say EPERM; the call itself never does), the stop's
  // word cannot be waited on as well: the recheck sees it.
  return errno == ENOSYS || errno == EPERM ? wait_one(word, expected, until) : errno;
}

}  // namespace

Result<void> futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) {
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  if (deadline.is_immediate()) {
    return fail(Errc::timed_out, "futex");
  }
  const timespec until = timespec_of(deadline.or_sooner(after(recheck_interval)).nanoseconds());
  const int error = deadline.stop() == nullptr ? wait_one(word, expected, until)
                                               : wait_either(word, expected, *deadline.stop(), until);
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "futex");
  }
  switch (error) {
    case 0:
      return {};
    // A word that changes faster than the caller looks, or signals in quick succession, must not outlast the deadline.
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
      return deadline.passed() ? Result<void>(fail(Errc::timed_out, "futex")) : Result<void>();
    default:
      return fail(os_failure("futex", error));
  }
}

std::uint32_t futex_wake(const std::atomic<std::uint32_t>& word, std::uint32_t count) noexcept {
  if (count == 0) {
    return 0;  // the kernel would wake one
  }
  // The kernel takes an int, and of a negative count it wakes one.
  const std::uint32_t most = std::min<std::uint32_t>(count, INT_MAX);
  const long woken = ::syscall(SYS_futex, &word, FUTEX_WAKE, most, nullptr, nullptr, 0);
  return woken > 0 ? static_cast<std::uint32_t>(woken) : 0;
}

std::uint32_t futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept { return futex_wake(word, INT_MAX); }

}  // namespace tenon
