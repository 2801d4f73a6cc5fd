#include <tenon/os/poll.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <cerrno>
#include <poll.h>

namespace tenon {

namespace {

constexpr std::size_t most_items = 64;

short to_kernel(Ready wanted) noexcept {
  return static_cast<short>((has(wanted, Ready::reading) ? POLLIN : 0) | (has(wanted, Ready::writing) ? POLLOUT : 0));
}

Ready from_kernel(short events) noexcept {
  Ready ready = Ready::nothing;
  ready = (events & POLLIN) != 0 ? ready | Ready::reading : ready;
  ready = (events & POLLOUT) != 0 ? ready | Ready::writing : ready;
  ready = (events & POLLHUP) != 0 ? ready | Ready::hang_up : ready;
  return (events & (POLLERR | POLLNVAL)) != 0 ? ready | Ready::error : ready;
}

// One ppoll until the deadline; the time is computed anew at each turn, from the same moment.
int poll_until(std::span<pollfd> polled, Deadline deadline) noexcept {
  while (true) {
    const timespec left = timespec_of(deadline.is_never() ? 0 : deadline.left().count());
    const int count = ::ppoll(polled.data(), polled.size(), deadline.is_never() ? nullptr : &left, nullptr);
    if (count != -1 || errno != EINTR) {
      return count;
    }
  }
}

}  // namespace

Result<void> wait_any(std::span<PollItem> items, Deadline deadline) {
  expects(items.size() <= most_items, "wait_any takes at most 64 items");
  expects(!items.empty() || !deadline.is_unconditional(), "a wait needs something that can end it");
  if (stop_requested(deadline)) {
    return fail(Errc::stopped, "poll");
  }
  std::array<pollfd, most_items + 1> polled;
  std::size_t count = 0;
  for (const PollItem& item : items) {
    expects(item.fd.raw() >= 0, "a wait needs an open descriptor");  // poll(2) would skip it, and sleep on
    polled[count++] = {.fd = item.fd.raw(), .events = to_kernel(item.wanted), .revents = 0};
  }
  if (deadline.stop() != nullptr) {
    polled[count++] = {.fd = deadline.stop()->fd().raw(), .events = POLLIN, .revents = 0};
  }
  const int ready = poll_until(std::span(polled.data(), count), deadline);
  if (ready == -1) {
    return fail(os_failure("poll", errno));
  }
  if (ready == 0) {
    return fail(Errc::timed_out, "poll");
  }
  if (deadline.stop() != nullptr && polled[count - 1].revents != 0) {
    return fail(Errc::stopped, "poll");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].ready = from_kernel(polled[i].revents);
  }
  return {};
}

Result<Ready> wait_ready(FdView fd, Ready wanted, Deadline deadline) {
  PollItem item{.fd = fd, .wanted = wanted};
  return wait_any(std::span(&item, 1), deadline).transform([&] { return item.ready; });
}

}  // namespace tenon
