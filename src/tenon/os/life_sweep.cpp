#include <tenon/os/life_sweep.hpp>

#include <tenon/os/life_own.hpp>
#include <tenon/os/life_peer.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cstddef>
#include <fcntl.h>
#include <unistd.h>

namespace tenon {

namespace {

// An unfinished file of this very process is not opened, not even when no descriptor leads to it: another copy of the
// library may be about to lock it, and our closing would drop that lock. Unlinking it costs that copy a second attempt.
Result<bool> is_abandoned_own(FdView directory, const LifeName& name) {
  struct stat status{};
  if (::fstatat(directory.raw(), name.text().c_str(), &status, AT_SYMLINK_NOFOLLOW) == -1) {
    return false;
  }
  // Without a namespace it may be another process's, which is just as much alive: whoever can tell removes it.
  return procfs::own_pid_namespace() != 0 && name.who.pid_namespace != 0 && own_descriptor_of(status) == -1;
}

Result<bool> is_abandoned(FdView directory, const LifeName& name) {
  if (name.stage != LifeStage::member && may_be_own(name.who)) {
    return is_abandoned_own(directory, name);
  }
  auto peer = Peer::open(directory, name);
  if (peer.failed_with(Errc::not_found)) {
    return false;  // gone meanwhile
  }
  return std::move(peer).and_then([](const Peer& open) { return open.standing(); }).transform([](Standing now) {
    return now != Standing::alive;
  });
}

}  // namespace

Result<Swept> sweep(const Domain& domain, SweepLimits limits) {
  const FdView directory = domain.directory();
  auto names = LifeName::all_in(directory);
  if (!names) {
    return fail(std::move(names.error()));
  }
  if (names->size() > limits.looks) {
    const auto start = static_cast<std::ptrdiff_t>(Token::random().value() % names->size());
    std::ranges::rotate(*names, names->begin() + start);
    names->erase(names->begin() + static_cast<std::ptrdiff_t>(limits.looks), names->end());
  }
  Swept swept;
  for (const LifeName& name : *names) {
    if (swept.dead + swept.unfinished >= limits.removals) {
      break;
    }
    const auto abandoned = is_abandoned(directory, name);
    if (abandoned.failed_with(Errc::limit_reached)) {
      return fail(Error(abandoned.error()));
    }
    swept.unreadable += !abandoned;
    if (abandoned && *abandoned && ::unlinkat(directory.raw(), name.text().c_str(), 0) == 0) {
      ++(name.stage == LifeStage::member ? swept.dead : swept.unfinished);
    }
  }
  return swept;
}

}  // namespace tenon
