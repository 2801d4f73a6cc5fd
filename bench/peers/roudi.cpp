#include <peers/roudi.hpp>

#include <peers/daemon.hpp>
#include <topic/start_domain.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace peers {

namespace {

// Chunks for both directions, whose header is within their size, and for the sides of some starts that were killed: the
// daemon frees theirs when it has missed them for a second or two.
void write_pools(const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  file << "[general]\nversion = 1\n\n[[segment]]\n";
  for (const auto& [size, count] :
       {std::pair{256, 4096}, std::pair{2048, 4096}, std::pair{66 << 10, 512}, std::pair{1088 << 10, 192}}) {
    file << "\n[[segment.mempool]]\nsize = " << size << "\ncount = " << count << "\n";
  }
}

// Of a client that has no name of its own: "iceoryx_rt_1234_5678", with the process that was killed.
bool is_of_the_dead(std::string_view file) {
  constexpr std::string_view prefix = "iceoryx_rt_";
  if (!file.starts_with(prefix)) {
    return false;
  }
  const pid_t pid = std::atoi(std::string(file.substr(prefix.size())).c_str());
  return pid > 0 && ::kill(pid, 0) == -1 && errno == ESRCH;
}

// The daemon aborts on its way out when it finds clients dead, and leaves both its segments; clients that are killed
// leave their sockets. There is one daemon on a machine, and that was ours.
void remove_what_it_left() {
  ::shm_unlink("/iceoryx_mgmt");
  if (const group* const own = ::getgrgid(::getegid()); own != nullptr) {
    ::shm_unlink((std::string("/") + own->gr_name).c_str());
  }
  for (const char* name : {"roudi", "iox-unique-roudi", first_client, second_client}) {
    for (const char* end : {"", ".lock"}) {
      ::unlink((std::string("/tmp/") + name + end).c_str());
    }
  }
  std::error_code dropped;
  for (const auto& entry : std::filesystem::directory_iterator("/tmp", dropped)) {
    if (is_of_the_dead(entry.path().filename().string())) {
      std::filesystem::remove(entry.path(), dropped);
    }
  }
}

struct Roudi {
  std::shared_ptr<Daemon> daemon;
  ~Roudi() {
    daemon.reset();
    remove_what_it_left();
  }
};

}  // namespace

std::shared_ptr<void> roudi() {
  static std::weak_ptr<Roudi> running;
  auto one = running.lock();
  if (one == nullptr) {
    const std::string pools = topics::path_of_run() + "/iceoryx.toml";
    write_pools(pools);
    one = std::make_shared<Roudi>(Daemon::start({"iox-roudi", "-c", pools, "-m", "on", "-l", "error"}));
    running = one;
  }
  return one;
}

}  // namespace peers
