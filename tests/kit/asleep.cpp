#include <kit/asleep.hpp>

#include <tenon/os/procfs.hpp>

#include <sched.h>
#include <string>
#include <unistd.h>

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

void wait_to_be_killed() {
  while (true) {
    ::pause();
  }
}

}  // namespace kit
