#pragma once
/// Who the members of domains are, where shared memory has their tokens and the directory of the domain alone.
#include <tenon/inspect/patterns/lives.hpp>
#include <tenon/inspect/snapshot.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace tenon::inspect {

/// A process of this PID namespace.
struct DomainMember {
  pid_t pid;
  bool ended;
};

class DomainMembers {
 public:
  /// Those directories are looked at when it is first asked; what may not be opened has no members.
  explicit DomainMembers(std::vector<std::string> directories) : paths_(std::move(directories)) {}

  /// Whether that is the directory of one of the domains.
  bool knows(FileId domain);
  /// Nothing for a token that nobody has here, or any more.
  std::optional<DomainMember> find(FileId domain, std::uint64_t token);

 private:
  struct Directory {
    FileId file;
    Fd open;
    Lives lives;
  };
  Directory* at(FileId domain);

  std::vector<std::string> paths_;
  std::deque<Directory> open_;  // each stays where it is
};

}  // namespace tenon::inspect
