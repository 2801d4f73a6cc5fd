#pragma once
/// What all processes have open and mapped: one walk over /proc. proc(5)
#include <tenon/inspect/snapshot.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <sys/stat.h>
#include <unordered_map>
#include <vector>

namespace tenon::inspect {

struct Sighting {
  enum class What : std::uint8_t {
    file,     ///< a regular one
    fifo,     ///< with a name
    pipe,     ///< without
    socket,   ///< of any family
    eventfd,  ///< all have one inode: in its place stands the number that the kernel gives it, and no device
    map,      ///< mapped
  };

  FileId file = {};
  pid_t pid = 0;
  int descriptor = -1;  ///< -1 of what is mapped
  What what = What::file;
  bool reads = false;
  bool writes = false;
  std::uint64_t length = 0;             ///< bytes, of what is mapped
  std::optional<OpenFile> opened = {};  ///< of descriptors, where it was asked for
  std::string target = {};              ///< what /proc calls it; "" of pipes, sockets and eventfds

  Relation relation() const noexcept { return what == What::map ? Relation::maps : Relation::holds; }
  /// A path to the file itself through /proc; "" of what is mapped.
  std::string path() const;
};

struct FileIdHash {
  std::size_t operator()(const FileId& file) const noexcept { return file.inode * 31 + file.device; }
};
/// What statx(2) told of files when they were seen open.
using Statuses = std::unordered_map<FileId, struct statx, FileIdHash>;

/// What fdinfo tells of an eventfd.
struct EventCount {
  std::uint64_t count;
  bool is_semaphore;
};

/// What is looked at of a descriptor.
enum class Detail : std::uint8_t {
  access,   ///< whether it reads or writes
  opening,  ///< also how it was opened: one more file of /proc
};

/// Of all processes, in several threads, which all have ended when it is taken.
class Sightings {
 public:
  Sightings() = default;
  /// `unseen` is told how many processes could not be looked at. `meanwhile` is done by this thread, while others have
  /// begun to walk.
  static Sightings take(Detail detail, std::vector<std::string>& unseen, const std::function<void()>& meanwhile);

  /// By what it is, then by file, process and descriptor. Maps come last.
  std::span<const Sighting> all() const noexcept { return all_; }
  std::span<const Sighting> all(Sighting::What what) const noexcept;
  /// Descriptors of that file, by process.
  std::span<const Sighting> of(Sighting::What what, FileId file) const noexcept;
  /// Of a regular file, a FIFO or a pipe that was seen open; nullptr of others.
  const struct statx* status(FileId file) const noexcept;
  const EventCount* event(FileId file) const noexcept;
  /// One that has something open or mapped, by its id; nullptr of others.
  const Process* process(pid_t pid) const noexcept;
  /// How many processes could not be looked at.
  std::size_t refused() const noexcept { return refused_; }

 private:
  std::vector<Sighting> all_;
  Statuses statuses_;
  std::unordered_map<FileId, EventCount, FileIdHash> events_;
  std::vector<Process> processes_;  // by pid
  std::size_t refused_ = 0;
};

/// Whether /proc says that no name leads to the file any more.
bool is_unlinked(const std::string& target) noexcept;
/// Without the " (deleted)" that says so.
std::string without_mark(const std::string& target);
/// Whether the process is known to be in our IPC namespace. ipc_namespaces(7)
bool shares_ipc(pid_t pid) noexcept;

}  // namespace tenon::inspect
