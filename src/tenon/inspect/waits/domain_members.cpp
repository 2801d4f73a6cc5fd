#include <tenon/inspect/waits/domain_members.hpp>

#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <utility>

namespace tenon::inspect {

DomainMembers::Directory* DomainMembers::at(FileId domain) {
  for (const std::string& path : std::exchange(paths_, {})) {
    auto open = open_domain_directory(path);
    struct stat status{};
    if (open && ::fstat(open->raw(), &status) == 0) {
      const FdView view = open->view();
      open_.push_back(
          {.file = {.device = status.st_dev, .inode = status.st_ino}, .open = std::move(*open), .lives = Lives(view)});
    }
  }
  const auto found = std::ranges::find(open_, domain, &Directory::file);
  return found == open_.end() ? nullptr : &*found;
}

bool DomainMembers::knows(FileId domain) { return at(domain) != nullptr; }

std::optional<DomainMember> DomainMembers::find(FileId domain, std::uint64_t token) {
  Directory* directory = at(domain);
  const Token life = Token::from(token);
  const auto member = directory == nullptr ? std::nullopt : directory->lives.member_of(life);
  const std::uint64_t own = procfs::own_pid_namespace();
  const bool here = member && (member->pid_namespace == own || member->pid_namespace == 0);
  return here ? std::optional(DomainMember{.pid = member->pid, .ended = directory->lives.is_gone(life)}) : std::nullopt;
}

}  // namespace tenon::inspect
