/// Settings that are no numbers: what is mounted, and what systemd takes away.
#include <tenon/inspect/settings/setting_row.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sstream>
#include <sys/statvfs.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mebibyte = 1024UL * 1024;
constexpr uid_t last_system_user = 999;  // what Debian and systemd call a system user

// The value that one file gives to RemoveIPC=, "" if none.
std::string remove_ipc_in(const std::string& path) {
  const auto text = procfs::text(path);
  std::string value;
  std::istringstream lines(text ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    std::erase_if(line, [](char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; });
    if (line.starts_with("RemoveIPC=")) {
      value = line.substr(line.find('=') + 1);
    }
  }
  return value;
}

// Drop-ins by name: of those with one name, the one in the directory of the highest precedence.
std::map<std::string, std::string> drop_ins(const std::string& root) {
  std::map<std::string, std::string> files;
  for (const char* directory : {"/etc", "/run", "/usr/local/lib", "/usr/lib"}) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root + directory + "/systemd/logind.conf.d", none)) {
      if (entry.path().extension() == ".conf") {
        files.emplace(entry.path().filename(), entry.path());
      }
    }
  }
  return files;
}

bool is_yes(const std::string& value) {
  return value == "yes" || value == "1" || value == "true" || value == "on" || value == "y" || value == "t";
}

}  // namespace

bool removes_ipc(const std::string& root) {
  std::string value = remove_ipc_in(root + "/etc/systemd/logind.conf");
  for (const auto& [name, path] : drop_ins(root)) {
    const std::string here = remove_ipc_in(path);
    value = here.empty() ? value : here;
  }
  return value.empty() || is_yes(value);
}

Look look_at_remove_ipc(const SettingRow& /*row*/) {
  if (!fs::exists("/run/systemd/system")) {
    return {.value = "no systemd", .meaning = "systemd does not run here, so nobody removes objects at logout."};
  }
  if (!removes_ipc("")) {
    return {.value = "no", .meaning = "systemd leaves a user's objects alone when it logs out."};
  }
  if (::geteuid() <= last_system_user) {
    return {.value = "yes",
            .meaning =
                "systemd does not touch the objects of root and of system users, of which this "
                "user is one."};
  }
  return {.value = "yes", .verdict = Verdict::note};
}

Look look_at_mqueue_mount(const SettingRow& /*row*/) {
  const auto mounts = procfs::mounts();
  const auto all = mounts ? *mounts : std::vector<procfs::Mount>();
  const auto found = std::ranges::find(all, "mqueue", &procfs::Mount::type);
  if (found == all.end()) {
    return {.value = "not mounted", .verdict = Verdict::note};
  }
  return {.value = found->point, .meaning = "POSIX queues can be listed there."};
}

Look look_at_shm(const SettingRow& row) {
  struct statvfs status{};
  if (::statvfs("/dev/shm", &status) == -1) {
    return {.value = "not there",
            .verdict = Verdict::problem,
            .meaning = "Without it there is no POSIX memory, no named semaphore and no domain: " +
                       os_failure("statvfs", errno).message()};
  }
  const std::uint64_t size = status.f_blocks * status.f_frsize;
  const std::uint64_t free = status.f_bavail * status.f_frsize;
  Look look = judged(row, free / mebibyte);
  look.value += " free of " + std::to_string(size / mebibyte);
  if (::access("/dev/shm", W_OK | X_OK) == -1) {
    look.verdict = Verdict::problem;
    look.meaning = "This user may not create anything there: no POSIX memory, no named semaphore, no domain.";
  }
  return look;
}

}  // namespace tenon::inspect
