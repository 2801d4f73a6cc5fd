#pragma once
/// What the readers of Tenon's own kinds share: one domain, and who of it is which process here. One reader for each
/// kind stands beside it.
#include <tenon/inspect/kernel/sightings.hpp>
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/inspect/snapshot.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inspect {

/// Somebody who takes part, as a record of the domain tells.
struct Participant {
  std::uint64_t life;  ///< the token of its process
  Relation relation;
  bool alive;
  std::optional<std::uint64_t> messages = {};  ///< as Edge::messages
};

class DomainScene {
 public:
  /// All three are to outlive it.
  DomainScene(const std::string& path, FdView directory, const Sightings& sightings)
      : path_(path), directory_(directory), lives_(directory), sightings_(sightings) {}

  const std::string& path() const noexcept { return path_; }
  const Sightings& sightings() const noexcept { return sightings_; }

  /// An object with the owner, the mode and the times of that file of the domain.
  Object object(Kind kind, const std::string& name, const std::string& file_name) const;
  /// Adds an edge, or joins it with that process's others to the same object. Who has no process here is left out: of
  /// another PID namespace, or dead and swept up.
  void add_edge(Snapshot& into, std::size_t object, const Participant& who);
  /// Adds a wait of a thread that sleeps since `waited` nanoseconds ago, of `at`. Nothing: since when is not known.
  void add_wait(Snapshot& into, std::size_t object, std::uint64_t life, std::string_view call, Need need,
                std::optional<std::int64_t> since);
  /// What an inspector of the domain could not see, with the domain's name.
  void add_unseen(Snapshot& into, const std::vector<std::string>& sentences) const;
  void add_failure(Snapshot& into, const Error& error) const;

 private:
  std::optional<pid_t> pid_here(std::uint64_t life);

  const std::string& path_;
  FdView directory_;
  Lives lives_;
  const Sightings& sightings_;
};

void read_topics(DomainScene& scene, Snapshot& into);
void read_queues(DomainScene& scene, Snapshot& into);
void read_services(DomainScene& scene, Snapshot& into);
void read_streams(DomainScene& scene, Snapshot& into);
void read_boards(DomainScene& scene, Snapshot& into);

/// The domains that are looked at where none were named.
std::vector<std::string> known_domains();

}  // namespace tenon::inspect
