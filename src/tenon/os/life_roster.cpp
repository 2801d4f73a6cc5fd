#include <tenon/os/life_roster.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tenon {

namespace {

// What an event of `ready_` is about.
constexpr std::uint64_t of_tellers = 0;
constexpr std::uint64_t of_ticks = 1;

Result<void> poll_for(const Fd& epoll, FdView fd, std::uint64_t about) {
  struct epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = about;
  if (::epoll_ctl(epoll.raw(), EPOLL_CTL_ADD, fd.raw(), &interest) == -1) {
    return fail(os_failure("epoll_ctl", errno));
  }
  return {};
}

}  // namespace

Roster::Roster(Fd directory, Fd ready, Fd ticks)
    : ready_(std::move(ready)), ticks_(std::move(ticks)), known_(std::move(directory)), opener_(::getpid()) {}

Result<Roster> Roster::open(const Domain& domain) {
  auto directory = domain.directory().duplicate();
  auto ready = fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  auto ticks = fd_from(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
  for (auto* made : {&directory, &ready, &ticks}) {
    if (!*made) {
      return fail(std::move(made->error()));
    }
  }
  Roster roster(std::move(*directory), std::move(*ready), std::move(*ticks));
  if (auto started = roster.start(); !started) {
    return fail(std::move(started.error()).on(domain.path()));
  }
  return roster;
}

// Listens first and looks then: who joins between is met twice, and known the second time.
Result<void> Roster::start() {
  auto events = LifeEvents::of(known_.directory());
  const bool without_proc = !events && events.failed_with(Errc::not_found);
  if (events) {
    events_ = std::move(*events);
  } else if (without_proc || is_inotify_limit(events.error())) {
    notice_ = std::move(events.error());
    if (auto prepared = known_.do_without_events(); !prepared) {
      return prepared;
    }
  } else {
    return fail(std::move(events.error()));
  }
  return poll_for(ready_, ticks_.view(), of_ticks)
      .and_then([&] { return poll_for(ready_, teller(), of_tellers); })
      .and_then([&] { return look_at_directory(); })
      .and_then([&] {
        [[maybe_unused]] const auto from_the_start = known_.take_changes();
        return tick_if_needed();
      });
}

// The kernel tells nothing of watched members whose file a child holds, nor of the removal of an empty domain.
Result<void> Roster::tick_if_needed() {
  const bool needed = must_look_ || known_.has_to_look() || known_.is_empty();
  if (needed == ticking_) {
    return {};
  }
  itimerspec each{};
  each.it_interval = timespec_of(needed ? std::chrono::nanoseconds(recheck_interval).count() : 0);
  each.it_value = each.it_interval;
  if (::timerfd_settime(ticks_.raw(), 0, &each, nullptr) == -1) {
    return fail(os_failure("timerfd_settime", errno));
  }
  ticking_ = needed;
  return {};
}

Result<std::vector<Change>> Roster::changes() {
  if (opener_ != ::getpid()) {
    return fail(Errc::in_child);
  }
  std::array<struct epoll_event, 2> ready{};
  const int count = ::epoll_wait(ready_.raw(), ready.data(), static_cast<int>(ready.size()), 0);
  const auto has = [&](std::uint64_t about) {
    return std::any_of(ready.begin(), ready.begin() + std::max(count, 0),
                       [&](const struct epoll_event& event) { return event.data.u64 == about; });
  };
  // First what was told: it is older than what is seen.
  auto done = has(of_tellers) ? take_told() : Result<void>();
  if (has(of_ticks)) {
    std::uint64_t expirations = 0;
    [[maybe_unused]] const auto got = ::read(ticks_.raw(), &expirations, sizeof expirations);
    done = std::move(done).and_then([&] { return look(); });
  }
  return tell(std::move(done));
}

// What has been found goes out before a failure does; the failure comes again, for what failed is still to be done. The
// timer is set in any case, so that somebody comes again to do it.
Result<std::vector<Change>> Roster::tell(Result<void> done) {
  auto ticking = tick_if_needed();
  for (auto* step : {&done, &ticking}) {
    if (!*step && !known_.has_changed()) {
      return fail(std::move(step->error()));
    }
  }
  return known_.take_changes();
}

// The timer is there for who polls fd(). A wait in here needs no timer to wake up, and costs half without it.
Result<std::vector<Change>> Roster::wait(Deadline deadline) {
  auto found = changes();
  while (found && found->empty()) {
    const Deadline until = ticking_ ? deadline.or_sooner(after(recheck_interval)) : deadline;
    const auto told = wait_ready(teller(), Ready::reading, until);
    if (!told && (!told.failed_with(Errc::timed_out) || deadline.passed())) {
      return fail(Error(told.error()));
    }
    found = told ? changes() : tell(look());
    // Much of what the kernel tells is no change, and may go on for ever.
    if (found && found->empty() && deadline.passed()) {
      return fail(Errc::timed_out, "poll");
    }
  }
  return found;
}

Result<void> Roster::watch(Token token) {
  if (opener_ != ::getpid()) {
    return fail(Errc::in_child);
  }
  return known_.watch(token).and_then([&] { return tick_if_needed(); });
}

Result<void> Roster::take_told() {
  if (!events_) {
    known_.take_ends();
    return {};
  }
  auto drained = events_->drain();
  if (!drained) {
    must_look_ = true;
    return fail(std::move(drained.error()));
  }
  std::ranges::for_each(drained->events, [&](const LifeEvent& event) { known_.take_event(event); });
  // Only now: what was told before it was dropped is older than what is seen.
  return drained->overflowed ? look_at_directory() : Result<void>();
}

// What the kernel does not tell.
Result<void> Roster::look() {
  if (!events_ || known_.is_empty()) {
    const auto changed = check_directory();
    if (!changed) {
      return fail(Error(changed.error()));
    }
    must_look_ = must_look_ || (*changed && !events_);
  }
  auto looked = must_look_ ? look_at_directory() : Result<void>();
  known_.look_at_members();
  return looked;
}

// Until it has succeeded, it is still to be done.
Result<void> Roster::look_at_directory() {
  must_look_ = true;
  return known_.look_at_directory().transform([&] { must_look_ = false; });
}

// Whether names may have come or gone since the last call.
Result<bool> Roster::check_directory() {
  const std::int64_t asked = file_clock_now();
  struct stat status{};
  if (::fstat(known_.directory().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found).because("the domain was removed"));
  }
  const std::int64_t time = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const bool changed = time != directory_time_;
  // Within one tick of their clock two changes look alike: until it has gone on, the next call says changed again.
  directory_time_ = is_past_file_time(asked, time) ? time : 0;
  return changed;
}

}  // namespace tenon
