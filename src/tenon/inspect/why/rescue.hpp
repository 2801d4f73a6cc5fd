#pragma once
/// Who could end a wait, by what is known of the thing that is waited for. Pure functions over a snapshot.
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <vector>

namespace tenon::inspect {

/// What makes a process one who could help.
enum class Role : std::uint8_t {
  writer,    ///< has the other end open, and may send
  reader,    ///< has it open, and may receive
  acceptor,  ///< listens
  owner,     ///< has the lock
  user,      ///< has the semaphore or the condition mapped, and may post or signal it
  last,      ///< the last to operate on it, which is all that the kernel knows
  carrier,   ///< has a socket in which descriptors are on their way: the other end may be among them
  child,     ///< is waited for itself
  sibling,   ///< another thread of the same process
};
/// "writer", "reader", …
std::string_view name_of(Role role) noexcept;

struct Rescuer {
  pid_t pid;
  Role role;
  pid_t thread = 0;                        ///< 0: any thread of the process
  std::optional<std::size_t> object = {};  ///< in Snapshot::objects
  bool ended = false;                      ///< it could have helped, but is dead
};

/// Why somebody who is not listed may end it.
enum class Outside : std::uint8_t {
  nobody,     ///< there is none but those listed
  comers,     ///< whoever comes: it has a name, and serves those who use it
  elsewhere,  ///< a terminal, a network, a timer
  itself,     ///< its own deadline, or a handler of its signals
  unseen,     ///< it cannot be told
};

struct Rescue {
  std::vector<Rescuer> helpers = {};
  Outside outside = Outside::nobody;
  /// It was seen to wait twice, and looked around in between, as all waits of Tenon's own do every 50 ms: so only who
  /// is stopped or dead holds it back for sure.
  bool rechecks = false;
};

/// Who waits to be served finds nobody in a thing that nobody has open; who waits to serve is idle there.
Rescue rescue_of(const Snapshot& all, const Wait& wait);

}  // namespace tenon::inspect
