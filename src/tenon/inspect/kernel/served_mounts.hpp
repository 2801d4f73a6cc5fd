#pragma once
/// File systems that ask somebody else for what is in them: a program, or another machine. One that does not answer
/// holds up whoever looks a name up there. proc_pid_mountinfo(5), fuse(4), nfs(5)
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inspect {

class ServedMounts {
 public:
  /// As this process sees them.
  static ServedMounts take();

  /// Whether a path, without symbolic links in it, leads through one of them.
  bool covers(std::string_view path) const noexcept;

 private:
  std::vector<std::string> points_;
};

/// Whether file systems of that type, as mountinfo calls it, have a server: "fuse.sshfs", "nfs4".
bool has_server(std::string_view type) noexcept;

}  // namespace tenon::inspect
