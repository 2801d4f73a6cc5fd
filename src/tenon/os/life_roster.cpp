#include <tenon/os/life_roster.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tenon {

namespace {

// How many members are looked at in one turn beyond the chosen: looking at hundreds would take more than 0.1% of a
// core.
constexpr std::size_t looked_at_in_turn = 4;
// The kernel's clock for files moves in steps of at most 10 ms: a directory changed just now may change again unseen.
constexpr std::int64_t file_clock_step = 20'000'000;

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
    : directory_(std::move(directory)), ready_(std::move(ready)), ticks_(std::move(ticks)), opener_(::getpid()) {}

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
  auto events = LifeEvents::of(directory_.view());
  const bool without_proc = !events && events.failed_with(Errc::not_found);
  if (events) {
    events_ = std::move(*events);
  } else if (without_proc || is_inotify_limit(events.error())) {
    notice_ = std::move(events.error());
    auto ends = fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    if (!ends) {
      return fail(std::move(ends.error()));
    }
    ends_ = std::move(*ends);
  } else {
    return fail(std::move(events.error()));
  }
  Changes already;
  return poll_for(ready_, ticks_.view(), of_ticks)
      .and_then([&] { return poll_for(ready_, events_ ? events_->fd() : ends_.view(), of_tellers); })
      .and_then([&] { return look_at_directory(already); })
      .and_then([&] { return tick_if_needed(); });
}

// The kernel tells nothing of chosen members whose file a child holds, nor of the removal of an empty domain.
Result<void> Roster::tick_if_needed() {
  const bool needed = !events_ || !chosen_.empty() || known_.empty();
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
  Changes found;
  Result<void> done;
  for (int i = 0; i < count && done; ++i) {
    if (ready[static_cast<std::size_t>(i)].data.u64 == of_tellers) {
      done = events_ ? take_events(*events_, found) : take_ends(found);
    } else {
      std::uint64_t expirations = 0;
      [[maybe_unused]] const auto got = ::read(ticks_.raw(), &expirations, sizeof expirations);
      done = look(found);
    }
  }
  return std::move(done).and_then([&] { return tick_if_needed(); }).transform([&] { return std::move(found); });
}

// The timer is there for who polls fd(). A wait in here needs no timer to wake up, and costs half without it.
Result<std::vector<Change>> Roster::wait(Deadline deadline) {
  auto found = changes();
  while (found && found->empty()) {
    const Deadline until = ticking_ ? deadline.or_sooner(after(recheck_interval)) : deadline;
    const auto told = wait_ready(events_ ? events_->fd() : ends_.view(), Ready::reading, until);
    if (told) {
      found = changes();
    } else if (told.failed_with(Errc::timed_out) && !deadline.passed()) {
      found = look(*found).and_then([&] { return tick_if_needed(); }).transform([&] { return std::move(*found); });
    } else {
      return fail(Error(told.error()));
    }
  }
  return found;
}

Result<void> Roster::watch(Token token) {
  const auto place = known_.find(token);
  if (place == known_.end()) {
    return fail(Error(Errc::not_found).on(token.hex()));
  }
  Known& known = place->second;
  if (!known.peer) {
    auto peer = Peer::open(directory_.view(), known.name);
    if (!peer) {
      return fail(std::move(peer.error()));
    }
    known.peer = std::move(*peer);
  }
  chosen_.insert(token);
  return tick_if_needed();
}

std::vector<Member> Roster::members() const {
  std::vector<Member> living;
  living.reserve(known_.size());
  for (const auto& [token, known] : known_) {
    living.push_back(known.name.who);
  }
  return living;
}

Result<void> Roster::take_events(LifeEvents& events, Changes& changes) {
  auto drained = events.drain();
  if (!drained) {
    return fail(std::move(drained.error()));
  }
  for (const LifeEvent& event : drained->events) {
    if (auto taken = take_event(event, changes); !taken) {
      return taken;
    }
  }
  // Only now: what was told before it was dropped is older than what is seen.
  return drained->overflowed ? look_at_directory(changes) : Result<void>();
}

Result<void> Roster::take_event(const LifeEvent& event, Changes& changes) {
  using What = LifeEvent::What;
  if (event.what == What::joined) {
    return meet(event.name, changes);
  }
  const auto place = known_.find(event.name.who.token);
  if (place == known_.end()) {
    return {};
  }
  if (event.what == What::closed) {
    // The name may be gone by now: then a cleaner has found it dead.
    const auto peer = Peer::open(directory_.view(), event.name);
    const auto now = peer ? peer->standing() : Result<Standing>(Standing::died);
    if (now && *now == Standing::alive) {
      return {};  // somebody else had opened it for writing
    }
    part(place, now.value_or(Standing::died), changes);
    return {};
  }
  part(place, event.what == What::left ? Standing::left : Standing::absent, changes);
  return {};
}

Result<void> Roster::meet(const LifeName& name, Changes& changes) {
  if (known_.contains(name.who.token)) {
    return {};
  }
  Known known{.name = name};
  if (!events_) {
    auto peer = Peer::open(directory_.view(), name);
    if (!peer) {
      // Gone meanwhile, or another user's in a domain that is not shared: not a member for us.
      const bool passed_over = !peer.failed_with(Errc::limit_reached);
      return passed_over ? Result<void>() : fail(std::move(peer.error()));
    }
    known.pidfd = pidfd_of(name.who, *peer);
    known.peer = std::move(*peer);
  }
  known_.emplace(name.who.token, std::move(known));
  changes.push_back({.who = name.who, .now = Standing::alive});
  return {};
}

// The descriptor is of the member itself if the member still lives once it is open: till then nobody else could get its
// process id.
Fd Roster::pidfd_of(const Member& who, const Peer& peer) const {
  if (who.pid_namespace == 0 || who.pid_namespace != procfs::own_pid_namespace()) {
    return Fd::adopt(-1);
  }
  auto pidfd = fd_from(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)), "pidfd_open");
  const auto now = peer.standing();
  const bool its_own = pidfd && now && *now == Standing::alive;
  return its_own && poll_for(ends_, pidfd->view(), who.token.value()) ? std::move(*pidfd) : Fd::adopt(-1);
}

Roster::Place Roster::part(Place place, Standing how, Changes& changes) {
  changes.push_back({.who = place->second.name.who, .now = how});
  chosen_.erase(place->first);
  return known_.erase(place);
}

Result<void> Roster::look_at_directory(Changes& changes) {
  const auto names = LifeName::all_in(directory_.view());
  if (!names) {
    return fail(Error(names.error()));
  }
  std::set<Token> seen;
  for (const LifeName& name : *names) {
    if (name.stage != LifeStage::member) {
      continue;
    }
    seen.insert(name.who.token);
    const auto peer = known_.contains(name.who.token) ? Result<Peer>(fail(Errc::already_exists))
                                                      : Peer::open(directory_.view(), name);
    const auto now = peer ? peer->standing() : Result<Standing>(Standing::absent);
    if (auto met = now && *now == Standing::alive ? meet(name, changes) : Result<void>(); !met) {
      return met;
    }
  }
  for (auto place = known_.begin(); place != known_.end();) {
    const auto& peer = place->second.peer;
    const auto now = peer ? peer->standing() : Result<Standing>(Standing::absent);
    place = seen.contains(place->first) ? std::next(place) : part(place, now.value_or(Standing::absent), changes);
  }
  return {};
}

// What the kernel does not tell.
Result<void> Roster::look(Changes& changes) {
  if (!events_ || known_.empty()) {
    auto looked = check_directory().and_then(
        [&](bool changed) { return changed && !events_ ? look_at_directory(changes) : Result<void>(); });
    if (!looked) {
      return looked;
    }
  }
  look_at_members(changes);
  return {};
}

// Processes have ended, or so their pidfds say; what counts is the lock.
Result<void> Roster::take_ends(Changes& changes) {
  std::array<struct epoll_event, 32> ended{};  // what does not fit stays ready
  const int count = ::epoll_wait(ends_.raw(), ended.data(), static_cast<int>(ended.size()), 0);
  for (int i = 0; i < count; ++i) {
    const Token token = Token::from(ended[static_cast<std::size_t>(i)].data.u64);
    if (const auto place = known_.find(token); place != known_.end()) {
      look_at(place, changes);
    }
    if (const auto still = known_.find(token); still != known_.end()) {
      // Whoever shares its descriptors keeps it alive, and the pidfd would be readable for ever.
      still->second.pidfd = Fd::adopt(-1);
    }
  }
  return {};
}

void Roster::look_at_members(Changes& changes) {
  for (auto next = chosen_.begin(); next != chosen_.end();) {
    look_at(known_.find(*next++), changes);  // who parts is no longer among the chosen
  }
  const std::size_t turn = events_ ? 0 : std::min(looked_at_in_turn, known_.size());
  for (std::size_t i = 0; i < turn && !known_.empty(); ++i) {
    auto place = known_.upper_bound(looked_at_);
    place = place == known_.end() ? known_.begin() : place;
    looked_at_ = place->first;
    look_at(place, changes);
  }
}

// The next place, whether this one stays or not.
Roster::Place Roster::look_at(Place place, Changes& changes) {
  const std::optional<Peer>& peer = place->second.peer;
  const auto now = peer ? peer->standing() : Result<Standing>(Standing::alive);
  return now && *now != Standing::alive ? part(place, *now, changes) : std::next(place);
}

// Whether names may have come or gone since the last call.
Result<bool> Roster::check_directory() {
  struct stat status{};
  if (::fstat(directory_.raw(), &status) == -1) {
    return fail(os_failure("fstat", errno));
  }
  if (status.st_nlink == 0) {
    return fail(Error(Errc::not_found).because("the domain was removed"));
  }
  const std::int64_t time = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  const std::int64_t age = realtime_now() - time;
  const bool changed = time != directory_time_;
  directory_time_ = age >= 0 && age < file_clock_step ? 0 : time;
  return changed;
}

}  // namespace tenon
