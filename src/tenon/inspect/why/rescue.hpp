#pragma once
/// Who could end a wait, by what is known of the thing that is waited for. Pure functions over a snapshot.
///
/// What counts as proof that nobody else will:
/// - What has no name gets no new users: a pipe, connected sockets, an eventfd, memory without a name. Those who have
/// it
///   are all there are.
/// - A lock has its owner. Whoever comes cannot unlock it. Of a lock for reading that several own, all have to.
/// - Who wants to be served (room in a queue, a place in a backlog, a reader of its FIFO) depends on those who serve
///   there now.
///
/// What is none:
/// - Who serves at a thing with a name, for a message, a post, a signal, waits for anybody who may come by that name.
///   That its users wait too proves nothing.
/// - Of System V objects the kernel keeps the last user alone.
/// - A process that may not be looked at may have whatever is no lock.
/// There those who are known are told nevertheless, and `others` says who else there may be.
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <vector>

namespace tenon::inspect {

/// What makes a process one who could help.
enum class Role : std::uint8_t {
  writer,    ///< has the other end open, and may send
  reader,    ///< has it open, and may receive
  acceptor,  ///< listens
  server,    ///< of a service: answers
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

/// Why those listed may not be all, where nothing shows that there are others.
enum class Others : std::uint8_t {
  none,      ///< they are all
  closed,    ///< processes that may not be looked at may have it
  by_name,   ///< whoever opens it
  unlisted,  ///< the kernel does not keep who uses it
  joint,     ///< its owners may have one lock in common, which each of them could give back
};

struct Rescue {
  std::vector<Rescuer> helpers = {};
  Outside outside = Outside::nobody;
  Others others = Others::none;
  /// It was seen to wait twice, and looked around in between, as all waits of Tenon's own do every 50 ms: so only who
  /// is stopped or dead holds it back for sure.
  bool rechecks = false;
  bool needs_all = false;  ///< each of the helpers has to act: readers that keep a writer out
  /// One of the helpers has what the waiter wants, or is alone in serving there. In a circle of waits that is what
  /// makes it one; that servers wait for each other's messages alone is how they rest.
  bool is_owed = false;
};

/// Who waits to be served finds nobody in a thing that nobody has open; who waits to serve is idle there.
Rescue rescue_of(const Snapshot& all, const Wait& wait);

}  // namespace tenon::inspect
