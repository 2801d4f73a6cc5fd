#pragma once
/// Reading /proc, where what one reads may vanish meanwhile. proc(5)
///
/// A process that has ended is `not_found`, one that may not be looked at `permission_denied`: both are normal, and
/// the lists here leave such entries out.
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::procfs {

/// A whole small file. Outcomes: not_found. Failures: permission_denied.
Result<std::string> text(const std::string& path);
/// A file that holds one decimal number, as those under /proc/sys do. Failures: also corrupt.
Result<std::uint64_t> number(const std::string& path);
Result<std::uint64_t> count_lines(const std::string& path);
/// What stands behind `label` and a colon on a line of its own, as in status and fdinfo files; nothing if it does not.
std::optional<std::string_view> field(std::string_view text, std::string_view label) noexcept;
/// The number that begins what stands there.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view label, int base = 10) noexcept;

/// A line of /proc/meminfo, as "MemAvailable": bytes, or a plain number where the line has no unit.
/// Outcomes: not_found (no such line, or /proc is not mounted).
Result<std::uint64_t> memory(std::string_view label);

/// What /proc/PID/stat tells.
struct Process {
  pid_t pid;
  std::string name;  ///< at most 15 bytes, as the kernel keeps it; may hold any byte
  char state;        ///< R S D T Z …
  pid_t parent;
  std::uint64_t
      start_time;  ///< clock ticks since boot: with the pid, it names a process for as long as the machine runs
};
Result<Process> process(pid_t pid);
/// Parses the one line of a stat file. Failures: corrupt.
Result<Process> parse_stat(std::string_view line);

/// All processes that this one can see, by ascending pid.
std::vector<pid_t> all_processes();

/// The command line, arguments divided by spaces; the name in brackets for a kernel thread or a zombie.
Result<std::string> command(pid_t pid);
/// The effective user.
Result<uid_t> user(pid_t pid);

/// One open descriptor of a process and what it leads to: "/tmp/x", "pipe:[1234]", "anon_inode:[eventfd]".
struct OpenDescriptor {
  int number;
  std::string target;
  dev_t device;  ///< of the file itself
  ino_t inode;
  mode_t mode;
};
/// Those of one process; what was closed meanwhile is left out. Outcomes: not_found. Failures: permission_denied.
Result<std::vector<OpenDescriptor>> descriptors(pid_t pid);

/// A file that a process has mapped: "/dev/shm/x", "/memfd:frames (deleted)", "/SYSV00000000 (deleted)".
struct MappedFile {
  std::string path;
  dev_t device;
  ino_t inode;
  friend bool operator==(const MappedFile&, const MappedFile&) = default;
};
/// Each once, however often it is mapped. Outcomes: not_found. Failures: permission_denied, corrupt.
Result<std::vector<MappedFile>> mapped_files(pid_t pid);
/// Parses one line of a maps file; without a value if it maps no file. Failures: corrupt.
Result<std::optional<MappedFile>> parse_map(std::string_view line);

/// Which byte of which file an address of this process stands for: the same for all processes that share the memory.
struct MappedPlace {
  MappedFile file;
  std::uint64_t offset;
};
/// Nothing for memory that is this process's alone. Outcomes: not_found (nothing is mapped there, or /proc is not
/// mounted). Failures: corrupt.
Result<std::optional<MappedPlace>> mapped_place(std::uintptr_t address);

/// A file system and where this process sees it.
struct Mount {
  std::string point;
  std::string type;  ///< "tmpfs", "mqueue"
};
/// In the order in which they were mounted: the last one at a point hides those before.
Result<std::vector<Mount>> mounts();
/// Parses one line of a mountinfo file. Failures: corrupt.
Result<Mount> parse_mount(std::string_view line);

/// The identity of a process's IPC namespace. Outcomes: not_found. Failures: permission_denied. ipc_namespaces(7)
Result<std::uint64_t> ipc_namespace(pid_t pid);

/// A path that leads to the very file that a descriptor of this process is open on, wherever that is by now:
/// "/proc/thread-self/fd/5". For this thread alone. /proc/self would be the main thread's, and empty once that has
/// ended.
std::string link_to(FdView fd);

/// The identity of this process's PID namespace, 0 if /proc does not tell. pid_namespaces(7)
std::uint64_t own_pid_namespace() noexcept;

}  // namespace tenon::procfs
