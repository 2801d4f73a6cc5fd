#include <kit/asleep.hpp>

#include <tenon/os/procfs.hpp>

#include <atomic>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace kit {

void until_asleep(pid_t process, pid_t thread) {
  const std::string path = "/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/stat";
  while (true) {
    const auto seen =
        tenon::procfs::text(path).and_then([](const std::string& line) { return tenon::procfs::parse_stat(line); });
    if (!seen || seen->state == 'S' || seen->state == 'Z') {
      return;
    }
    sched_yield();
  }
}

std::jthread thread_asleep_in(std::function<void()> body) {
  std::atomic<pid_t> id = 0;
  std::jthread thread([&id, body = std::move(body)] {
    id = ::gettid();
    body();
  });
  while (id == 0) {
    std::this_thread::yield();
  }
  until_asleep(::getpid(), id);
  return thread;
}

void wait_to_be_killed() {
  while (true) {
    ::pause();
  }
}

}  // namespace kit
