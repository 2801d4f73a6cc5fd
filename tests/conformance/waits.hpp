#pragma once
/// Every kind of wait, each on something that does not happen.
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>

#include <functional>
#include <ostream>
#include <string>
#include <sys/types.h>
#include <vector>

namespace conformance {

using Waiting = std::function<tenon::Result<void>(tenon::Deadline)>;

struct Wait {
  std::string name;
  /// Makes what is waited on, which the function that it returns keeps.
  std::function<Waiting()> make;
  /// What it says without waiting.
  tenon::Errc at_once = tenon::Errc::timed_out;

  friend std::ostream& operator<<(std::ostream& out, const Wait& wait) { return out << wait.name; }
};

std::vector<Wait> all_waits();
/// Those of them on Unix sockets.
std::vector<Wait> socket_waits();
/// Those in shared memory.
std::vector<Wait> sync_waits();

}  // namespace conformance
