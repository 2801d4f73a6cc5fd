#include <tenon/messaging/service/call_bell.hpp>

#include <tenon/os/system_call.hpp>

#include <cerrno>
#include <cstdint>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tenon {

namespace {

Result<void> listen_to(FdView all, FdView one) {
  epoll_event readable{};
  readable.events = EPOLLIN;
  return ::epoll_ctl(all.raw(), EPOLL_CTL_ADD, one.raw(), &readable) == 0 ? Result<void>()
                                                                          : fail(os_failure("epoll_ctl", errno));
}

}  // namespace

Result<CallBell> CallBell::create(FdView inbox) {
  auto both = fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  auto rung = fd_from(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  if (!both || !rung) {
    return fail(std::move(both ? rung.error() : both.error()));
  }
  return listen_to(both->view(), inbox).and_then([&] { return listen_to(both->view(), rung->view()); }).transform([&] {
    return CallBell(std::move(*both), std::move(*rung));
  });
}

void CallBell::ring() noexcept {
  const std::uint64_t once = 1;
  // Full it is readable too.
  [[maybe_unused]] const auto dropped = ::write(rung_.raw(), &once, sizeof once);
}

void CallBell::silence() noexcept {
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto dropped = ::read(rung_.raw(), &rung, sizeof rung);
}

}  // namespace tenon
