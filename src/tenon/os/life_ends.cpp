#include <tenon/os/life_ends.hpp>

#include <tenon/os/procfs.hpp>

#include <array>
#include <cstddef>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon {

Result<LifeEnds> LifeEnds::create() {
  return fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1").transform([](Fd epoll) {
    return LifeEnds(std::move(epoll));
  });
}

// The descriptor is of the member itself if the member still lives once it is open: till then nobody else could get its
// process id.
void LifeEnds::add(const Member& who, const Peer& peer) {
  if (who.pid_namespace == 0 || who.pid_namespace != procfs::own_pid_namespace()) {
    return;
  }
  auto pidfd = fd_from(static_cast<int>(::syscall(SYS_pidfd_open, who.pid, 0)), "pidfd_open");
  const auto now = peer.standing();
  if (!pidfd || !now || *now != Standing::alive) {
    return;
  }
  struct epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = who.token.value();
  if (::epoll_ctl(epoll_.raw(), EPOLL_CTL_ADD, pidfd->raw(), &interest) == 0) {
    pidfds_.insert_or_assign(who.token, std::move(*pidfd));
  }
}

// Taken off the epoll before it is closed: closing alone leaves it there for as long as a forked child has a copy, and
// it would be readable for ever.
void LifeEnds::remove(Token token) {
  if (const auto place = pidfds_.find(token); place != pidfds_.end()) {
    ::epoll_ctl(epoll_.raw(), EPOLL_CTL_DEL, place->second.raw(), nullptr);
    pidfds_.erase(place);
  }
}

std::vector<Token> LifeEnds::drain() {
  std::array<struct epoll_event, 32> ended{};  // what does not fit stays ready
  const int count = ::epoll_wait(epoll_.raw(), ended.data(), static_cast<int>(ended.size()), 0);
  std::vector<Token> tokens;
  for (int i = 0; i < count; ++i) {
    tokens.push_back(Token::from(ended[static_cast<std::size_t>(i)].data.u64));
    remove(tokens.back());
  }
  return tokens;
}

}  // namespace tenon
