#pragma once
/// Who is in a domain, as the names of the life files say.
///
///     life.TOKEN.NAMESPACE.PID.START      a member, alive or dead
///     .life.TOKEN.NAMESPACE.PID.START     one that is joining, or was killed while joining
///     .left.TOKEN.NAMESPACE.PID.START     one that is leaving, or was killed while leaving
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>
#include <tenon/os/token.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon {

struct Member {
  Token token;
  std::uint64_t pid_namespace;  ///< inode of its PID namespace; 0: /proc did not tell
  pid_t pid;                    ///< in that namespace
  std::uint64_t start_time;     ///< clock ticks since boot; 0: /proc did not tell
  friend bool operator==(const Member&, const Member&) = default;

  /// This process under a new token. Without /proc the namespace and the start time are 0.
  static Member self();
  /// "pid 17", "pid 17 of PID namespace 4026531836" if that is not this process's own.
  std::string message() const;
};

enum class LifeStage : std::uint8_t { joining, member, leaving };

/// The name of a life file.
struct LifeName {
  LifeStage stage;
  Member who;

  std::string text() const;
  /// Nothing for the names of other files.
  static std::optional<LifeName> parse(std::string_view text);
  /// Those in a directory, in no order. What comes or goes meanwhile may or may not be among them.
  /// Failures: not_found (the directory was removed), limit_reached.
  static Result<std::vector<LifeName>> all_in(FdView directory);
};

}  // namespace tenon
