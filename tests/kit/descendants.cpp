#include <kit/descendants.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kit {

namespace {

// snprintf may take locks; this is all the text that a path here needs.
class Path {
 public:
  Path& operator<<(const char* text) noexcept {
    while (*text != '\0' && used_ + 1 < text_.size()) {
      text_[used_++] = *text++;
    }
    text_[used_] = '\0';
    return *this;
  }
  Path& operator<<(pid_t number) noexcept {
    std::array<char, 12> digits{};
    std::size_t at = digits.size() - 1;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    return *this << &digits[at];
  }
  const char* text() const noexcept { return text_.data(); }

 private:
  std::array<char, 96> text_{};
  std::size_t used_ = 0;
};

struct List {
  std::span<pid_t> room;
  std::size_t count = 0;
  void add(pid_t pid) noexcept {
    if (count < room.size()) {
      room[count++] = pid;
    }
  }
};

void read_children_of_thread(pid_t pid, pid_t thread, List& list) noexcept {
  Path path;
  path << "/proc/" << pid << "/task/" << thread << "/children";
  const int file = ::open(path.text(), O_RDONLY | O_CLOEXEC);
  if (file == -1) {
    return;  // it has ended meanwhile
  }
  pid_t number = 0;
  std::array<char, 512> part;
  for (ssize_t got = 0; (got = ::read(file, part.data(), part.size())) > 0;) {
    for (ssize_t i = 0; i < got; ++i) {
      const char letter = part[static_cast<std::size_t>(i)];
      if (letter >= '0' && letter <= '9') {
        number = number * 10 + (letter - '0');
      } else if (number > 0) {
        list.add(number);
        number = 0;
      }
    }
  }
  ::close(file);
}

struct DirectoryEntry {  // linux_dirent64, which no header declares
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];  // as long as it is
};

void read_children(pid_t pid, List& list) noexcept {
  Path path;
  path << "/proc/" << pid << "/task";
  const int directory = ::open(path.text(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory == -1) {
    return;
  }
  alignas(8) std::array<char, 1024> part;
  for (long got = 0; (got = ::syscall(SYS_getdents64, directory, part.data(), part.size())) > 0;) {
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(part.data() + at);
      const int thread = std::atoi(entry->name);
      if (thread > 0) {
        read_children_of_thread(pid, thread, list);
      }
      at += entry->length;
    }
  }
  ::close(directory);
}

}  // namespace

std::size_t descendants(pid_t of, std::span<pid_t> into) noexcept {
  List list{into};
  read_children(of, list);
  for (std::size_t i = 0; i < list.count; ++i) {
    read_children(list.room[i], list);
  }
  return list.count;
}

void kill_descendants() noexcept {
  std::array<pid_t, 1024> room;
  const std::size_t count = descendants(::getpid(), room);
  const pid_t own_group = ::getpgrp();
  for (std::size_t i = 0; i < count; ++i) {
    // The group first: a leader may have orphans that no walk from here finds.
    const pid_t group = ::getpgid(room[i]);
    if (group > 0 && group != own_group) {
      ::kill(-group, SIGKILL);
    }
    ::kill(room[i], SIGKILL);
  }
}

}  // namespace kit
