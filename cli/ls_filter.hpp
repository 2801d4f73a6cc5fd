#pragma once
/// Which of the objects of a snapshot `tenon ls` lists.
#include <tenon/base/result.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::cli {

/// What was asked for. What is empty leaves none out; an object that is listed satisfies all of them.
struct LsFilter {
  std::vector<pid_t> pids = {};         ///< one of these holds it, waits for it or used it last
  std::vector<std::string> users = {};  ///< one of these owns it: a name or a number
  std::vector<std::string> names = {};  ///< one of these patterns fits its name. glob(7)
  bool orphans = false;                 ///< nobody is seen to hold it
  bool waiting = false;                 ///< somebody waits for it
};

/// The places of the objects that are to be listed, in their order. Failures: invalid_argument (no such user).
Result<std::vector<std::size_t>> listed(const inspect::Snapshot& all, const LsFilter& filter);

}  // namespace tenon::cli
