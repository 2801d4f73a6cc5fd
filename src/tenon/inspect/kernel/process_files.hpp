#pragma once
/// What one process has open and mapped. proc(5)
///
/// Nothing is opened but the lists themselves. statx(2) of a descriptor's link, followed, tells pipes and sockets by
/// their file systems, which belong to the kernel; of the link itself, whether it reads or writes. No server is asked
/// for what it knows: a file on one that does not answer does not hold up who looks.
#include <tenon/base/result.hpp>
#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/os/fd.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace tenon::inspect {

/// What a walk has seen so far.
struct FilesSeen {
  std::vector<Sighting> sightings = {};
  Statuses statuses = {};
  std::unordered_map<FileId, EventCount, FileIdHash> events = {};
  std::vector<Process> processes = {};  ///< those that have something
};

class ProcessFiles {
 public:
  /// `proc` is /proc, opened.
  ProcessFiles(FdView proc, Detail detail);

  /// Appends what that process has open and mapped, apart from the kernel's own things that no kind is made of.
  /// A process that has ended has nothing. Failures: permission_denied, and whatever else keeps it from being seen.
  Result<void> look_at(pid_t pid, FilesSeen& into);

  /// Parses one line of a maps file. Nothing for memory that is no file's, or a file's that this process alone sees:
  /// private maps of objects that are shared otherwise are told nevertheless.
  static std::optional<Sighting> parse_map(std::string_view line);

 private:
  Result<void> read_all(FdView task, pid_t pid, FilesSeen& into);
  Result<void> read_through_others(FdView process, pid_t pid, FilesSeen& into);
  Result<void> read_descriptors(FdView process, pid_t pid, FilesSeen& into);
  Result<void> read_maps(FdView process, pid_t pid, std::vector<Sighting>& into);
  void add_descriptor(int directory, const char* name, Sighting one, FilesSeen& into);
  static void add_event(std::string_view info, Sighting one, FilesSeen& into);
  std::optional<Sighting::What> what_of(const struct statx& status, int directory, const char* name,
                                        std::string& target) const;

  FdView proc_;
  Detail detail_;
  dev_t pipes_ = 0;  // the device of all pipes without a name
  std::vector<char> room_;
};

/// Its user, name and command. Nothing if it has ended.
std::optional<Process> process_of(pid_t pid);

}  // namespace tenon::inspect
