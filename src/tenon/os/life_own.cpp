#include <tenon/os/life_own.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tenon {

namespace {

// Another thread may close the number at this very moment, and open another file under it: a miss, and no race, since
// nothing is done with the descriptor. fstat() would be taken for a use of it by ThreadSanitizer.
bool leads_to(int number, const struct stat& file) noexcept {
  struct stat status{};
  return ::fstatat(number, "", &status, AT_EMPTY_PATH) == 0 && status.st_dev == file.st_dev &&
         status.st_ino == file.st_ino;
}

int number_of(const char* text) noexcept {
  int number = -1;
  std::from_chars(text, text + std::strlen(text), number);
  return number;
}

int search_all(const struct stat& file) noexcept {
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
  for (int number = 0; number < end; ++number) {
    if (leads_to(number, file)) {
      return number;
    }
  }
  return -1;
}

}  // namespace

bool may_be_own(const Member& who) noexcept {
  if (who.pid != ::getpid()) {
    return false;
  }
  const std::uint64_t own = procfs::own_pid_namespace();
  return own == 0 || who.pid_namespace == 0 || own == who.pid_namespace;
}

int own_descriptor_of(const struct stat& file) noexcept {
  // Not /proc/self: it shows the main thread's descriptors, which are none once that thread has ended.
  DIR* directory = ::opendir("/proc/thread-self/fd");
  if (directory == nullptr) {
    return search_all(file);
  }
  int found = -1;
  for (const dirent* entry = ::readdir(directory); entry != nullptr && found == -1; entry = ::readdir(directory)) {
    const int number = number_of(entry->d_name);
    found = number >= 0 && leads_to(number, file) ? number : -1;
  }
  ::closedir(directory);
  return found;
}

}  // namespace tenon
