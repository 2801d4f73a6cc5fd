#pragma once
/// What all processes have open and mapped: one walk over /proc. proc(5)
#include <tenon/inspect/snapshot.hpp>

#include <span>
#include <string>
#include <vector>

namespace tenon::inspect {

struct Sighting {
  FileId file;
  pid_t pid;
  int descriptor;      ///< -1 where it is mapped alone
  mode_t mode;         ///< 0 where it is mapped alone
  bool own_ipc;        ///< the process is known to be in our IPC namespace
  std::string target;  ///< what /proc calls it

  Relation relation() const noexcept { return descriptor == -1 ? Relation::maps : Relation::holds; }
  /// A path to the file itself through /proc; "" where it is mapped alone.
  std::string path() const;
};

class Sightings {
 public:
  /// `unseen` is told how many processes could not be looked at.
  static Sightings take(std::vector<std::string>& unseen);

  /// By file, then by pid.
  std::span<const Sighting> all() const noexcept { return all_; }
  std::span<const Sighting> of(FileId file) const noexcept;

 private:
  explicit Sightings(std::vector<Sighting> all) noexcept : all_(std::move(all)) {}
  std::vector<Sighting> all_;
};

/// Whether /proc says that no name leads to the file any more.
bool is_unlinked(const std::string& target) noexcept;
/// Without the " (deleted)" that says so.
std::string without_mark(const std::string& target);

}  // namespace tenon::inspect
