#pragma once
/// What the kernel tells of the life files in a directory. inotify(7)
///
/// It tells nothing of the removal of a directory that somebody has open.
#include <tenon/os/fd.hpp>
#include <tenon/os/life_member.hpp>

#include <cstdint>
#include <vector>

namespace tenon {

struct LifeEvent {
  enum class What : std::uint8_t {
    joined,   ///< the file got its name
    left,     ///< its own process took the name away
    closed,   ///< the last descriptor is closed, and the name still there: it died
    removed,  ///< somebody else took the name away
  };
  What what;
  LifeName name;
};

class LifeEvents {
 public:
  /// Outcomes: not_found (there is no /proc). Failures: limit_reached, naming fs.inotify.max_user_instances,
  /// fs.inotify.max_user_watches or RLIMIT_NOFILE.
  static Result<LifeEvents> of(FdView directory);

  FdView fd() const noexcept { return fd_.view(); }

  struct Drained {
    std::vector<LifeEvent> events = {};
    bool overflowed = false;  ///< the kernel dropped some: fs.inotify.max_queued_events
  };
  /// All that has come. Never waits.
  Result<Drained> drain();

 private:
  explicit LifeEvents(Fd fd) noexcept : fd_(std::move(fd)) {}
  Fd fd_;
};

/// True for a limit_reached that concerns inotify alone, so that one can do without.
bool is_inotify_limit(const Error& error) noexcept;

}  // namespace tenon
