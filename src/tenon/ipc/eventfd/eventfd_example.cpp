/// A doorbell: the child rings three times, the parent hears it among other descriptors and answers once.
#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

int main() try {
  EventFd bell = EventFd::create().or_throw();
  EventFd other = EventFd::create().or_throw();

  Child child = spawn([&] {
                  for (int i = 0; i < 3; ++i) {
                    bell.try_post().or_throw();
                  }
                  return 0;
                }).or_throw();
  if (!child.wait(never).or_throw().success()) {
    return 1;
  }

  std::array<PollItem, 2> doors = {PollItem{.fd = bell.fd()}, PollItem{.fd = other.fd()}};
  wait_any(doors, after(std::chrono::seconds(10))).or_throw();
  const bool at_the_first = has(doors[0].ready, Ready::reading) && !has(doors[1].ready, Ready::reading);
  std::printf("The bell rang %llu times\n", static_cast<unsigned long long>(bell.try_wait().or_throw()));
  return at_the_first && bell.try_wait().failed_with(Errc::would_block) ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
