#include "wall_clock.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/system_call.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conformance {

namespace {

using tenon::Fd;
using tenon::uninterrupted;

// Both directions: what one end says the other hears, and the end of one is seen by the other.
std::array<Fd, 2> line() {
  std::array<int, 2> raw{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw.data()) == -1) {
    throw tenon::Failure(tenon::os_failure("socketpair", errno));
  }
  return {Fd::adopt(raw[0]), Fd::adopt(raw[1])};
}

bool set_clock(std::int64_t nanoseconds) {
  const timespec time = tenon::timespec_of(nanoseconds);
  return ::clock_settime(CLOCK_REALTIME, &time) == 0;
}

void say(const Fd& line, char letter) {
  (void)uninterrupted([&] { return ::send(line.raw(), &letter, 1, MSG_NOSIGNAL); });
}

// '\0' if nobody is at the other end any more.
char hear(const Fd& line) {
  char letter = '\0';
  return uninterrupted([&] { return ::read(line.raw(), &letter, 1); }) == 1 ? letter : '\0';
}

// Everything in here is a plain call: it may run in a fork of a process with threads.
[[noreturn]] void keep(const Fd& line, std::int64_t by, int limit) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::signal(signal, SIG_IGN);
  }
  if (hear(line) == '\0') {
    ::_exit(0);
  }
  const std::int64_t ahead = tenon::realtime_now() - tenon::monotonic_now();
  if (!set_clock(tenon::monotonic_now() + ahead + by)) {
    say(line, 'r');  // refused
    ::_exit(0);
  }
  say(line, 's');
  pollfd polled{.fd = line.raw(), .events = POLLIN, .revents = 0};
  const int told = uninterrupted([&] { return ::poll(&polled, 1, limit); });
  set_clock(tenon::monotonic_now() + ahead);
  if (told == 1) {
    (void)hear(line);  // left unread, the order would turn the answer into ECONNRESET
  }
  say(line, told == 1 ? 't' : 'l');
  ::_exit(0);
}

}  // namespace

WrongWallClock::WrongWallClock(std::chrono::hours by, std::chrono::milliseconds limit) : line_(Fd::adopt(-1)) {
  auto [own, its] = line();
  const auto start = [&] {
    // A session of its own, and an orphan: what ends the test and all that came out of it does not end the keeper.
    if (::setsid() != -1 && ::fork() == 0) {
      {
        const Fd closed = std::move(own);
      }  // else it would not see this process end
      keep(its, std::chrono::nanoseconds(by).count(), static_cast<int>(limit.count()));
    }
    return 0;
  };
  auto first = tenon::spawn(start, tenon::WithParent::lives_on).or_throw();
  (void)first.wait(tenon::never).or_throw();
  line_ = std::move(own);
}

tenon::Result<void> WrongWallClock::set() {
  say(line_, 's');
  return hear(line_) == 's' ? tenon::Result<void>() : tenon::fail(tenon::Errc::permission_denied, "clock_settime");
}

bool WrongWallClock::put_right() {
  say(line_, 'r');
  return hear(line_) == 't';
}

}  // namespace conformance
