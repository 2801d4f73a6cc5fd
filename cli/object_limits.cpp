#include <cli/object_limits.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace tenon::cli {

namespace {

using inspect::Kind;

struct Row {
  Kind kind;
  std::string_view begins;  // the name of a setting, or of several
};

constexpr std::array rows = {
    Row{Kind::posix_queue, "fs.mqueue."},
    Row{Kind::posix_queue, "RLIMIT_MSGQUEUE"},
    Row{Kind::sysv_queue, "kernel.msg"},
    Row{Kind::posix_memory, "/dev/shm"},
    Row{Kind::posix_memory, "vm.max_map_count"},
    Row{Kind::sysv_memory, "kernel.shm"},
    Row{Kind::sysv_memory, "vm.nr_hugepages"},
    Row{Kind::memfd, "vm.max_map_count"},
    Row{Kind::posix_semaphore, "/dev/shm"},
    Row{Kind::sysv_semaphore, "kernel.sem "},
    Row{Kind::fifo, "fs.pipe-"},
    Row{Kind::pipe, "fs.pipe-"},
    Row{Kind::unix_socket, "net."},
    Row{Kind::eventfd, "RLIMIT_NOFILE"},
    Row{Kind::topic, "/dev/shm"},
    Row{Kind::queue, "/dev/shm"},
    Row{Kind::service, "/dev/shm"},
    Row{Kind::stream, "/dev/shm"},
    Row{Kind::board, "/dev/shm"},
};

}  // namespace

std::vector<inspect::Setting> limits_of(Kind kind) {
  std::vector<inspect::Setting> limits;
  for (inspect::Setting& setting : inspect::settings()) {
    if (std::ranges::any_of(rows, [&](const Row& row) {
          return row.kind == kind && std::string_view(setting.name).starts_with(row.begins);
        })) {
      limits.push_back(std::move(setting));
    }
  }
  return limits;
}

}  // namespace tenon::cli
