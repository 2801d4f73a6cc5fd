#pragma once
/// What exists on this machine for processes to communicate through, who holds it, and who waits. proc(5), sysvipc(7)
///
/// A snapshot changes nothing: it opens no FIFO, socket or memory object, and touches no object's times. POSIX queues
/// it opens for a moment, since nothing else tells their depth; a queue has no count of readers that this could
/// disturb. It is no atomic picture, for the kernel gives none; what vanishes while it is taken is left out. What could
/// not be seen is said in `unseen`, never guessed.
#include <tenon/inspect/kind.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

/// The identity of whatever has an inode. All zero for System V objects.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend auto operator<=>(const FileId&, const FileId&) = default;
};

/// One number that belongs to an object: 3 "messages", 4096 "bytes", a "value" of 2.
struct Figure {
  const char* name;
  std::uint64_t value;
};

struct Object {
  Kind kind;
  /// "/jobs" for POSIX objects, a path, "@name" for abstract sockets, a memfd's label; "0x0000162e", the key, for
  /// System V objects, "0x00000000" where they are private. Any byte may stand in it.
  std::string name;
  std::optional<int> id = {};  ///< of System V objects
  FileId file = {};
  std::optional<uid_t> owner = {};
  std::optional<uid_t> creator = {};  ///< where the kernel keeps it apart from the owner
  std::optional<mode_t> mode = {};    ///< the nine bits
  std::string state = {};  ///< "stream, listening", "marked for removal", "unlinked"; "" if nothing is special
  std::vector<Figure> figures = {};
  std::optional<std::int64_t> created = {};  ///< seconds since 1970, where the kernel keeps it
  std::optional<std::int64_t> changed = {};  ///< when its attributes were last changed; it is no younger than that
  std::optional<std::int64_t> used = {};     ///< when it was last sent to, received from, attached, operated on

  std::optional<std::uint64_t> figure(std::string_view name) const noexcept;
};

struct Process {
  pid_t pid;
  uid_t user;
  std::string command;
};

/// How a process has to do with an object.
enum class Relation : std::uint8_t {
  holds,          ///< has it open
  maps,           ///< has it mapped
  sends_to,       ///< of Tenon's own: takes part in it as who sends
  receives_from,  ///< of Tenon's own: takes part in it as who receives
  owns,           ///< has the lock, or has taken a message that it has not acknowledged
  created,        ///< this and what follows is what the kernel remembers: the last who …
  last_sent,
  last_received,
  last_attached,
  last_operated,
};
/// "holds", "maps", "last_sent", …
std::string_view name_of(Relation relation) noexcept;
/// Whether the object cannot go without this process knowing: it is open or mapped there.
constexpr bool is_hold(Relation relation) noexcept { return relation <= Relation::receives_from; }

struct Edge {
  std::size_t object;  ///< in Snapshot::objects
  pid_t pid;
  Relation relation;
  int descriptor = -1;  ///< one of those through which it holds
  /// The process has ended, or cannot be seen; its id may be another's by now.
  bool ended = false;
  bool reads = false;   ///< through what it holds or maps; both are false where that cannot be seen
  bool writes = false;  ///< as above
  pid_t thread = 0;     ///< of an owner, where that is known
};

/// What a thread that sleeps needs before it can go on.
enum class Need : std::uint8_t {
  message,  ///< or bytes: that somebody sends
  room,     ///< that somebody receives
  lock,     ///< that the owner unlocks, or a semaphore rises
  peer,     ///< that somebody opens the other end, connects or accepts
  signal,   ///< that somebody notifies a condition, or sets an event
};
/// "message", "room", …
std::string_view name_of(Need need) noexcept;

/// A thread that sleeps in a call until another process does something.
struct Wait {
  pid_t pid;
  pid_t thread;
  std::string call;  ///< "mq_timedreceive", "futex"
  Need need;
  std::vector<std::size_t> objects;   ///< any of them ends it: several of poll(2) and its like
  std::optional<std::int64_t> since;  ///< CLOCK_MONOTONIC, nanoseconds, where that is known
  std::string unseen;                 ///< why it cannot be told what it waits for; "" if it can
};

struct Snapshot {
  std::vector<Object> objects;      ///< by kind and name
  std::vector<Process> processes;   ///< those of the edges and waits that live, by pid
  std::vector<Edge> edges;          ///< by object; one for each object, process and relation
  std::vector<Wait> waits;          ///< by pid and thread
  std::vector<std::string> unseen;  ///< sentences

  const Process* process(pid_t pid) const noexcept;
  std::vector<Edge> edges_of(std::size_t object) const;
};

struct SnapshotOptions {
  std::vector<Kind> kinds = {};  ///< all if empty
  /// Where FIFOs and sockets are looked for, with all that is below, beside those that somebody has open.
  std::vector<std::string> directories = {"/tmp", "/run"};
  /// Single FIFOs and sockets beside those.
  std::vector<std::string> paths = {};
};

Snapshot snapshot(const SnapshotOptions& options = {});

}  // namespace tenon::inspect
