#include <kit/memory_group.hpp>

#include <kit/unique.hpp>
#include <tenon/base/result.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

namespace {

struct Hierarchy {
  std::string place;  // "" if there is none
  const char* limit;
};

// /proc/self/mounts: device, place, type, options.
Hierarchy memory_hierarchy() {
  std::ifstream mounts("/proc/self/mounts");
  Hierarchy second{.place = "", .limit = "memory.max"};
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device;
    std::string place;
    std::string type;
    std::string options;
    words >> device >> place >> type >> options;
    if (type == "cgroup" && ("," + options + ",").find(",memory,") != std::string::npos) {
      return {.place = place, .limit = "memory.limit_in_bytes"};
    }
    second.place = type == "cgroup2" ? place : second.place;
  }
  return second;
}

// One write, for the kernel takes each as a whole.
bool write_file(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = file != -1 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file != -1) {
    ::close(file);
  }
  return written;
}

}  // namespace

MemoryGroup::MemoryGroup(std::size_t limit) {
  const Hierarchy memory = memory_hierarchy();
  directory_ = memory.place + "/" + unique_name("tenon-test");
  if (memory.place.empty() || ::mkdir(directory_.c_str(), 0755) == -1) {
    why_not_ = "needs the right to make a control group";
  } else if (!write_file(directory_ + "/" + memory.limit, std::to_string(limit))) {
    ::rmdir(directory_.c_str());
    why_not_ = "the control groups here do not bound memory";
  }
  // Else it would swap rather than run out; the files are there where swap is counted.
  write_file(directory_ + "/memory.swap.max", "0");
  write_file(directory_ + "/memory.memsw.limit_in_bytes", std::to_string(limit));
}

MemoryGroup::~MemoryGroup() { ::rmdir(directory_.c_str()); }

void MemoryGroup::join() const {
  if (!write_file(directory_ + "/cgroup.procs", std::to_string(::getpid()))) {
    throw tenon::Failure(tenon::os_failure("write", errno).on(directory_ + "/cgroup.procs"));
  }
}

}  // namespace kit
