#include "apparent_clock.hpp"

#include <tenon/os/clock.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<std::int64_t> seconds_ahead = 0;
std::atomic<bool> waits_refused = false;

constexpr std::uint32_t argument(std::size_t index) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
}

}  // namespace

// Stands before the C library's for the whole program, the C++ library's clocks included.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto returned = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (returned == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI)) {
    time->tv_sec += seconds_ahead.load();
  }
  return returned;
}

// The kernel can wait for a queue until a moment of its own wall clock; a filter cannot tell that from a moment long
// past.
extern "C" int mq_timedsend(mqd_t queue, const char* message, std::size_t size, unsigned priority,
                            const timespec* until) {
  if (waits_refused && until->tv_sec > 0) {
    errno = EDOM;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_mq_timedsend, queue, message, size, priority, until));
}

extern "C" ssize_t mq_timedreceive(mqd_t queue, char* into, std::size_t size, unsigned* priority,
                                   const timespec* until) {
  if (waits_refused && until->tv_sec > 0) {
    errno = EDOM;
    return -1;
  }
  return ::syscall(SYS_mq_timedreceive, queue, into, size, priority, until);
}

namespace conformance {

void set_apparent_clock(std::chrono::hours ahead) noexcept { seconds_ahead.store(std::chrono::seconds(ahead).count()); }

void refuse_waits_by_wall_clock() {
  waits_refused = true;
  // One block per call: if the number is another, on to the next block.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(1)),  // the operation
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FUTEX_CLOCK_REALTIME, 9, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex_waitv, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(4)),  // the clock
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME, 5, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_nanosleep, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timerfd_create, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument(0)),  // the clock
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
    throw tenon::Failure(tenon::os_failure("prctl", errno));
  }
}

}  // namespace conformance
