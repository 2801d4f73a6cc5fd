/// FIFOs and sockets by their names: a walk that follows no symlink and opens nothing but directories.
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/kernel/served_mounts.hpp>

#include <algorithm>
#include <fcntl.h>
#include <string>

namespace tenon::inspect {

namespace {

// A directory may be endless in practice: somebody's cache, or one that grows while it is read.
constexpr std::size_t most_names = 1'000'000;

struct Search {
  std::vector<NamedFile> found;
  std::vector<std::string> closed;   // directories that may not be read
  std::vector<std::string> unasked;  // those of a server
  ServedMounts served = ServedMounts::take();
  std::size_t names = 0;
};

bool is_wanted(const struct statx& status) noexcept { return S_ISFIFO(status.stx_mode) || S_ISSOCK(status.stx_mode); }

// A directory that was asked for by its name is read, whoever serves it. With a list of its own, so that a deep tree
// costs no stack.
void walk(const std::string& root, Search& search) {
  std::vector<std::string> left = {root};
  while (!left.empty()) {
    const std::string directory = std::move(left.back());
    left.pop_back();
    auto names = names_in(directory);
    if (names.failed_with(Errc::permission_denied)) {
      search.closed.push_back(directory);
    }
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      if (++search.names > most_names) {
        return;
      }
      const std::string path = directory + (directory.ends_with('/') ? "" : "/") + name;
      const auto status = status_of(AT_FDCWD, path.c_str());
      if (status && S_ISDIR(status->stx_mode)) {
        (search.served.covers(path) ? search.unasked : left).push_back(path);
      } else if (status && is_wanted(*status)) {
        search.found.push_back({.path = path, .status = *status});
      }
    }
  }
}

}  // namespace

std::vector<NamedFile> find_named_files(const SnapshotOptions& options, std::vector<std::string>& unseen) {
  Search search;
  for (const std::string& directory : options.directories) {
    walk(directory, search);
  }
  for (const std::string& path : options.paths) {
    if (const auto status = status_of(AT_FDCWD, path.c_str()); status && is_wanted(*status)) {
      search.found.push_back({.path = path, .status = *status});
    }
  }
  if (!search.closed.empty()) {
    unseen.push_back("FIFOs and sockets in " + std::to_string(search.closed.size()) +
                     " directories that may not be read, as " + search.closed.front());
  }
  if (!search.unasked.empty()) {
    unseen.push_back("FIFOs and sockets in what somebody else serves, and might not answer for: " +
                     std::to_string(search.unasked.size()) + " directories, as " + search.unasked.front());
  }
  if (search.names > most_names) {
    unseen.push_back("FIFOs and sockets beyond the first " + std::to_string(most_names) + " names in the directories");
  }
  // One directory may have been given inside another.
  std::ranges::sort(search.found, {}, &NamedFile::path);
  const auto twice = std::ranges::unique(search.found, {}, &NamedFile::path);
  search.found.erase(twice.begin(), twice.end());
  return std::move(search.found);
}

}  // namespace tenon::inspect
