#pragma once
/// What one process has open and mapped. proc(5)
///
/// Nothing is opened but the lists themselves: the link of a descriptor tells by its target what it leads to and by its
/// mode whether it reads or writes. Pipes and sockets have their inode in the target, so only what has a path costs a
/// call more.
#include <tenon/base/result.hpp>
#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/os/fd.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace tenon::inspect {

/// Devices of the kernel's own file systems, which no path leads to: each is asked for once.
struct KernelDevices {
  std::optional<dev_t> pipes = {};
  std::optional<dev_t> sockets = {};
};

class ProcessFiles {
 public:
  /// `proc` is /proc, opened.
  explicit ProcessFiles(FdView proc);

  /// Appends what that process has open and mapped, apart from the kernel's own things that no kind is made of.
  /// A process that has ended has nothing. Failures: permission_denied.
  Result<void> look_at(pid_t pid, std::vector<Sighting>& into);

  /// Parses one line of a maps file. Nothing for memory that is no file's, or a file's that this process alone sees:
  /// private maps of objects that are shared otherwise are told nevertheless.
  static std::optional<Sighting> parse_map(std::string_view line);

 private:
  Result<void> read_descriptors(FdView process, pid_t pid, std::vector<Sighting>& into);
  Result<void> read_maps(FdView process, pid_t pid, std::vector<Sighting>& into);
  void add_descriptor(int directory, const char* name, Sighting one, std::vector<Sighting>& into);

  FdView proc_;
  KernelDevices devices_;
  std::vector<char> room_;
};

}  // namespace tenon::inspect
