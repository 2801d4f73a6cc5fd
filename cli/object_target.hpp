#pragma once
/// How an object is named on the command line: "posix_queue:/jobs", "sysv_queue:0x162e", "sysv_queue:#5".
#include <tenon/base/result.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <string>

namespace tenon::cli {

struct ObjectTarget {
  inspect::Kind kind;
  std::string name;       ///< as `tenon ls` prints it; of System V objects the key
  std::optional<int> id;  ///< in place of it
};

/// Failures: invalid_argument (no such kind, nothing behind it, key 0), invalid_name.
Result<ObjectTarget> object_target(const std::string& text);

/// Whether the object is that one.
bool is_meant(const inspect::Object& object, const ObjectTarget& target);

}  // namespace tenon::cli
