#include <tenon/inspect/waits/system_call.hpp>

#include <algorithm>
#include <array>
#include <sys/syscall.h>

// Younger than the headers of Debian 12; the numbers are the same on all machines.
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif

namespace tenon::inspect {

namespace {

using enum Subject;
using enum Need;
using enum Patience;

// Those that a machine has not, as open(2) on aarch64, are left out by the preprocessor.
constexpr std::array calls = {
    SystemCall{SYS_read, "read", descriptor, message},
    SystemCall{SYS_readv, "readv", descriptor, message},
    SystemCall{SYS_write, "write", descriptor, room},
    SystemCall{SYS_writev, "writev", descriptor, room},
    SystemCall{SYS_recvfrom, "recvfrom", descriptor, message},
    SystemCall{SYS_recvmsg, "recvmsg", descriptor, message},
    SystemCall{SYS_recvmmsg, "recvmmsg", descriptor, message, until_pointer, 4},
    SystemCall{SYS_sendto, "sendto", descriptor, room},
    SystemCall{SYS_sendmsg, "sendmsg", descriptor, room},
    SystemCall{SYS_sendmmsg, "sendmmsg", descriptor, room},
    SystemCall{SYS_accept, "accept", descriptor, peer},
    SystemCall{SYS_accept4, "accept4", descriptor, peer},
    SystemCall{SYS_connect, "connect", address, peer},
    SystemCall{SYS_openat, "openat", path, peer},
    SystemCall{SYS_openat2, "openat2", path, peer},
#ifdef SYS_open
    SystemCall{SYS_open, "open", path, peer},
    SystemCall{SYS_creat, "creat", path, peer},
    SystemCall{SYS_poll, "poll", descriptors, message, for_milliseconds, 2},
    SystemCall{SYS_select, "select", masks, message, until_pointer, 4},
    SystemCall{SYS_epoll_wait, "epoll_wait", epoll, message, for_milliseconds, 3},
#endif
    SystemCall{SYS_ppoll, "ppoll", descriptors, message, until_pointer, 2},
    SystemCall{SYS_pselect6, "pselect6", masks, message, until_pointer, 4},
    SystemCall{SYS_epoll_pwait, "epoll_pwait", epoll, message, for_milliseconds, 3},
    SystemCall{SYS_epoll_pwait2, "epoll_pwait2", epoll, message, until_pointer, 3},
    SystemCall{SYS_mq_timedsend, "mq_timedsend", descriptor, room, until_pointer, 4},
    SystemCall{SYS_mq_timedreceive, "mq_timedreceive", descriptor, message, until_pointer, 4},
    SystemCall{SYS_msgsnd, "msgsnd", queue, room},
    SystemCall{SYS_msgrcv, "msgrcv", queue, message},
    SystemCall{SYS_semop, "semop", set, lock},
    SystemCall{SYS_semtimedop, "semtimedop", set, lock, until_pointer, 3},
    SystemCall{SYS_futex, "futex", word, lock, until_pointer, 3},
    SystemCall{SYS_futex_wait, "futex_wait", word, lock, until_pointer, 4},
    SystemCall{SYS_futex_waitv, "futex_waitv", words, lock, until_pointer, 3},
    SystemCall{SYS_flock, "flock", file_lock, lock},
    SystemCall{SYS_fcntl, "fcntl", file_lock, lock},
    SystemCall{SYS_wait4, "wait4", child, signal},
    SystemCall{SYS_waitid, "waitid", child, signal},
    SystemCall{SYS_splice, "splice", hidden, message},
    SystemCall{SYS_tee, "tee", hidden, message},
    SystemCall{SYS_sendfile, "sendfile", hidden, room},
    SystemCall{SYS_io_uring_enter, "io_uring_enter", hidden, message},
    SystemCall{SYS_io_getevents, "io_getevents", hidden, message},
    SystemCall{SYS_restart_syscall, "restart_syscall", hidden, message},
};

}  // namespace

const SystemCall* system_call(long number) noexcept {
  const auto found = std::ranges::find(calls, number, &SystemCall::number);
  return found == calls.end() ? nullptr : &*found;
}

bool gives_up(const SystemCall& what, const Call& call) noexcept {
  const std::uint64_t argument = call.arguments.at(what.patience_at);
  return (what.patience == until_pointer && argument != 0) ||
         (what.patience == for_milliseconds && static_cast<std::int32_t>(argument) >= 0);
}

}  // namespace tenon::inspect
