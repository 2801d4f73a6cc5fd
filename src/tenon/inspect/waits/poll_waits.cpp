/// Waits for any of several descriptors. poll(2), select(2), epoll_wait(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cstdio>
#include <poll.h>
#include <sys/epoll.h>

namespace tenon::inspect {

namespace {

// More than that nobody reads; the rest counts as elsewhere.
constexpr std::uint64_t most_descriptors = 65536;

// Who waits for both waits for what comes: its peer is who can end either.
void add_interest(WaitScene& scene, Wait& wait, int descriptor, bool incoming, bool outgoing) {
  const Descriptor* open = scene.all().descriptor(wait.pid, descriptor);
  if (open == nullptr || (!incoming && outgoing)) {
    wait.elsewhere = true;
  } else {
    add_object(wait, open->object);
  }
}

bool is_in(const std::vector<std::uint64_t>& set, std::uint64_t number) {
  return number / 64 < set.size() && (set[number / 64] >> number % 64 & 1) != 0;
}

std::vector<std::uint64_t> set_at(const AddressSpace& memory, std::uint64_t address, std::uint64_t count) {
  std::vector<std::uint64_t> set((count + 63) / 64);
  const bool there = address != 0 && memory.read(address, std::as_writable_bytes(std::span(set)));
  return there ? set : std::vector<std::uint64_t>();
}

}  // namespace

bool read_poll_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const AddressSpace* memory = scene.memory(sleeper.pid);
  const std::uint64_t count = sleeper.call.arguments[1];
  std::vector<pollfd> list(std::min(count, most_descriptors));
  wait.elsewhere = count > list.size();
  if (memory == nullptr || !memory->read(sleeper.call.arguments[0], std::as_writable_bytes(std::span(list)))) {
    wait.unseen = "which descriptors it polls";
    return !list.empty();
  }
  for (const pollfd& one : list) {
    if (one.fd >= 0) {
      add_interest(scene, wait, one.fd, (one.events & POLLIN) != 0, (one.events & POLLOUT) != 0);
    }
  }
  return wait.elsewhere || !wait.objects.empty();
}

bool read_select_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const AddressSpace* memory = scene.memory(sleeper.pid);
  const std::uint64_t count = std::min(sleeper.call.arguments[0], most_descriptors);
  if (memory == nullptr) {
    wait.unseen = "which descriptors it selects";
    return count > 0;
  }
  const auto incoming = set_at(*memory, sleeper.call.arguments[1], count);
  const auto outgoing = set_at(*memory, sleeper.call.arguments[2], count);
  const auto special = set_at(*memory, sleeper.call.arguments[3], count);
  for (std::uint64_t number = 0; number < count; ++number) {
    if (is_in(incoming, number) || is_in(outgoing, number) || is_in(special, number)) {
      add_interest(scene, wait, static_cast<int>(number), is_in(incoming, number), is_in(outgoing, number));
    }
  }
  return wait.elsewhere || !wait.objects.empty();
}

// "tfd:        5 events:       19 data: …": what fdinfo says of each descriptor that stands in the set.
bool read_epoll_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const auto info = procfs::text("/proc/" + std::to_string(sleeper.pid) + "/fdinfo/" +
                                 std::to_string(static_cast<int>(sleeper.call.arguments[0])));
  if (!info) {
    wait.unseen = "which descriptors stand in the epoll set";
    return true;
  }
  for (std::size_t at = info->find("tfd:"); at != std::string::npos; at = info->find("tfd:", at + 1)) {
    int descriptor = -1;
    unsigned int events = 0;
    if (std::sscanf(info->c_str() + at, "tfd: %d events: %x", &descriptor, &events) == 2) {
      add_interest(scene, wait, descriptor, (events & EPOLLIN) != 0, (events & EPOLLOUT) != 0);
    }
  }
  return wait.elsewhere || !wait.objects.empty();
}

}  // namespace tenon::inspect
