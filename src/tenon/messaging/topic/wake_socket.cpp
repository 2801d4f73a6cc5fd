#include <tenon/messaging/topic/wake_socket.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/unix_socket.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t step = std::chrono::nanoseconds(recheck_interval).count();

bool set_clock(FdView clock, std::int64_t first) noexcept {
  const itimerspec times{.it_interval = {.tv_sec = 0, .tv_nsec = step},
                         .it_value = {.tv_sec = first / second, .tv_nsec = first % second}};
  return ::timerfd_settime(clock.raw(), TFD_TIMER_ABSTIME, &times, nullptr) == 0;
}

std::int64_t next_recheck() noexcept { return (monotonic_now() / step + 1) * step; }

// It rings now, and then at the same moments as all clocks of the machine: a process that has many of them wakes up as
// often as one that has one.
Result<Fd> make_clock() {
  auto clock = fd_from(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
  if (clock && !set_clock(clock->view(), next_recheck() - step)) {
    return fail(os_failure("timerfd_settime", errno));
  }
  return clock;
}

Result<Fd> make_both(FdView rung, FdView clock) {
  auto both = fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  if (!both) {
    return both;
  }
  for (const FdView one : {rung, clock}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = one.raw()}};
    if (::epoll_ctl(both->raw(), EPOLL_CTL_ADD, one.raw(), &event) == -1) {
      return fail(os_failure("epoll_ctl", errno));
    }
  }
  return both;
}

}  // namespace

Result<WakeSocket> WakeSocket::create(const TopicFolder& folder, Token subscriber) {
  return create([&](FdView socket) { return folder.bind_wake(socket, subscriber); });
}

Result<WakeSocket> WakeSocket::create(const std::function<Result<void>(FdView)>& bind) {
  auto clock = make_clock();
  auto socket = make_socket(SocketKind::datagram);
  if (!clock || !socket) {
    return fail(std::move(clock ? socket.error() : clock.error()));
  }
  auto both = make_both(socket->view(), clock->view());
  if (!both) {
    return fail(std::move(both.error()));
  }
  if (auto bound = bind(socket->view()); !bound) {
    return fail(std::move(bound.error()));
  }
  return WakeSocket(std::move(*both), UnixDatagram::adopt(std::move(*socket)), std::move(*clock));
}

void WakeSocket::silence() noexcept {
  std::array<epoll_event, 2> ready{};
  const int count = ::epoll_wait(both_.raw(), ready.data(), static_cast<int>(ready.size()), 0);
  for (int i = 0; i < count; ++i) {
    std::uint64_t dropped = 0;
    if (ready[static_cast<std::size_t>(i)].data.fd == clock_.raw()) {
      [[maybe_unused]] const auto times = ::read(clock_.raw(), &dropped, sizeof dropped);
    } else {
      // As many as its queue holds by default; who sends more rings once more.
      constexpr int most = 16;
      for (int got = 0; got < most && ::recv(rung_.fd().raw(), &dropped, sizeof dropped, MSG_DONTWAIT) >= 0; ++got) {
      }
    }
  }
}

void WakeSocket::ring_at(std::int64_t due) noexcept {
  if (due != due_) {
    due_ = due;
    set_clock(clock_.view(), due == 0 ? next_recheck() : std::min(due, next_recheck()));
  }
}

void WakeRinger::ring(const TopicFolder& folder, Token subscriber, uid_t owner) {
  ring(folder.wake_address_of(subscriber), owner);
}

void WakeRinger::ring(const UnixAddress& address, uid_t owner) {
  if (!socket_) {
    if (auto made = make_socket(SocketKind::datagram)) {
      socket_ = UnixDatagram::adopt(std::move(*made));
    }
  }
  if (socket_) {
    [[maybe_unused]] const auto unheard = socket_->send_to(address, owner, {}, immediately);
  }
}

}  // namespace tenon
