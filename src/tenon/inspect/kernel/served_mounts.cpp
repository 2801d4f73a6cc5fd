#include <tenon/inspect/kernel/served_mounts.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>

namespace tenon::inspect {

namespace {

// Those of the kernel, and what many have beside it. What begins with "fuse" is one of them in any case, but for a disk
// whose server is local: that may hang as well.
constexpr std::array served = {std::string_view("nfs"),    std::string_view("nfs4"),     std::string_view("cifs"),
                               std::string_view("smb3"),   std::string_view("9p"),       std::string_view("afs"),
                               std::string_view("ceph"),   std::string_view("coda"),     std::string_view("virtiofs"),
                               std::string_view("lustre"), std::string_view("orangefs"), std::string_view("autofs")};

}  // namespace

bool has_server(std::string_view type) noexcept {
  return type.starts_with("fuse") || std::ranges::find(served, type) != served.end();
}

ServedMounts ServedMounts::take() {
  ServedMounts found;
  const auto mounts = procfs::mounts();
  for (const procfs::Mount& mount : mounts ? *mounts : std::vector<procfs::Mount>()) {
    if (has_server(mount.type)) {
      found.points_.push_back(mount.point);
    }
  }
  return found;
}

bool ServedMounts::covers(std::string_view path) const noexcept {
  return std::ranges::any_of(points_, [&](std::string_view point) {
    return path.starts_with(point) && (path.size() == point.size() || point == "/" || path[point.size()] == '/');
  });
}

}  // namespace tenon::inspect
