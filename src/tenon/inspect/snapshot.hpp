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
#include <span>
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

/// A time that the kernel keeps of an object beside those that all have: when it was last "attached", "sent" to.
struct Moment {
  const char* name;
  std::int64_t at;  ///< seconds since 1970
};

enum class SocketState : std::uint8_t { unconnected, connecting, listening, connected };
/// "unconnected", …
std::string_view name_of(SocketState state) noexcept;

/// What sock_diag tells of one Unix socket. unix(7)
struct SocketEnd {
  ino_t inode;  ///< the N of "socket:[N]"
  int type;     ///< SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
  SocketState state = SocketState::unconnected;
  std::string name = {};  ///< as it was bound, or that of who listened where it was accepted; "" if there is none
  ino_t peer = 0;  ///< the inode of who it is connected to; 0: nobody, or a connection that nobody has accepted yet
  std::optional<std::size_t> peer_object = {};  ///< in Snapshot::objects
  std::uint32_t receive_queue = 0;              ///< bytes unread; of who listens, connections not yet accepted
  std::uint32_t send_queue = 0;    ///< bytes that the peer has not read; of who listens, how many connections may wait
  dev_t device = 0;                ///< of the kernel's own file system that all sockets are files of
  std::optional<uid_t> user = {};  ///< of who made it
  std::optional<std::uint64_t> address = {};  ///< which the kernel prints in place of its own, where it does. proc(5)
};
/// "stream", "datagram", "seqpacket"
std::string_view socket_type_name(int type) noexcept;

/// One of a set of System V semaphores. semctl(2)
struct SemaphoreOfSet {
  std::uint64_t value;
  std::uint64_t waiting_for_more;
  std::uint64_t waiting_for_zero;
  pid_t last;  ///< who operated on it last; 0: nobody
};

/// A lock on a file, or on some bytes of it. fcntl(2), flock(2)
struct FileLock {
  enum class Family : std::uint8_t { posix, ofd, flock, lease };
  Family family;
  bool writes;                        ///< exclusive
  std::uint64_t first;                ///< byte
  std::optional<std::uint64_t> last;  ///< byte; nothing: to the end of the file, however long it gets
  friend auto operator<=>(const FileLock&, const FileLock&) = default;
};
/// "posix", "ofd", …
std::string_view name_of(FileLock::Family family) noexcept;

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

struct Object {
  Kind kind;
  /// "/jobs" for POSIX objects, a path, "@name" for abstract sockets, a memfd's label; "0x0000162e", the key, for
  /// System V objects, "0x00000000" where they are private; "pipe:[4711]" and "socket:[4711]" for those that have
  /// none; the file's path for its lock. Any byte may stand in it.
  std::string name;
  std::optional<int> id = {};  ///< of System V objects and of an eventfd
  FileId file = {};
  std::optional<uid_t> owner = {};
  std::optional<uid_t> creator = {};  ///< where the kernel keeps it apart from the owner
  std::optional<gid_t> group = {};
  std::optional<gid_t> creator_group = {};  ///< as creator
  std::optional<mode_t> mode = {};          ///< the nine bits
  std::optional<std::uint64_t> size = {};   ///< bytes: of the file, or of System V memory
  std::optional<std::uint64_t> links = {};  ///< how many names lead to the file
  std::string state = {};  ///< "stream, listening", "marked for removal", "unlinked"; "" if nothing is special
  std::vector<Figure> figures = {};
  std::optional<std::int64_t> created = {};  ///< seconds since 1970, where the kernel keeps it
  std::optional<std::int64_t> changed = {};  ///< when its attributes were last changed; it is no younger than that
  std::optional<std::int64_t> used = {};     ///< when it was last sent to, received from, attached, operated on
  std::vector<Moment> times = {};            ///< each of these, where the kernel keeps them apart
  std::vector<SemaphoreOfSet> set = {};      ///< of System V semaphores; empty where they may not be read
  std::optional<SocketEnd> socket = {};      ///< of Unix sockets that somebody has
  std::optional<FileLock> lock = {};         ///< of file locks
  /// What somebody has said that it sleeps for, where it cannot be told who: it may have been killed since.
  std::vector<Need> awaited = {};
  std::string domain = {};  ///< the directory of the domain, of Tenon's own

  std::optional<std::uint64_t> figure(std::string_view name) const noexcept;
};

struct Process {
  pid_t pid;
  uid_t user;
  std::string name;     ///< at most 15 bytes, as the kernel keeps it; may hold any byte
  std::string command;  ///< its arguments, divided by spaces; the name in brackets of one that has none
  /// 'T' is stopped, 't' by a debugger; '?' where nobody looked. Of its main thread, or of another where that one alone
  /// has ended: 'Z' is a process of which nothing runs any more.
  char state = '?';
  std::size_t threads = 0;    ///< that live; 0 where nobody looked
  pid_t tracer = 0;           ///< the debugger of one in state 't'; 0: none, or one that is not seen
  std::uint64_t handled = 0;  ///< signals for which it has handlers: bit 0 is signal 1

  bool is_stopped() const noexcept { return state == 'T' || state == 't'; }
};

/// What the kernel tells of an open file description. proc_pid_fdinfo(5)
struct OpenFile {
  unsigned int flags;      ///< as open(2) takes them, with O_CLOEXEC of the descriptor
  std::uint64_t position;  ///< byte
  int mount;               ///< the number of the mount through which it was opened
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
constexpr bool is_hold(Relation relation) noexcept { return relation <= Relation::owns; }

struct Edge {
  std::size_t object;  ///< in Snapshot::objects
  pid_t pid;
  Relation relation;
  int descriptor = -1;  ///< one of those through which it holds
  /// The process has ended, or cannot be seen; its id may be another's by now.
  bool ended = false;
  bool reads = false;                     ///< through what it holds or maps; both are false where that cannot be seen
  bool writes = false;                    ///< as above
  std::uint64_t mapped = 0;               ///< bytes of its address space, of who maps it
  pid_t thread = 0;                       ///< of an owner, where that is known
  std::optional<std::int64_t> when = {};  ///< of what the kernel remembers: seconds since 1970, no later than that
  /// Of Tenon's own: of who receives, by how many it is behind; of an owner, how many it has not acknowledged.
  std::optional<std::uint64_t> messages = {};
};

/// What the word that a thread sleeps on says of its lock.
struct LockClaim {
  pid_t owner = 0;               ///< a thread, in its own PID namespace; 0: nobody, or it is not kept
  bool owner_died = false;       ///< the kernel has said so, and nobody has taken it since
  std::uint32_t must_leave = 0;  ///< of a condition variable: how many users it waits for to leave
  int group = -1;                ///< of a condition variable: in which of its two groups; 2: both
};

/// A thread that sleeps in a call until another process does something.
struct Wait {
  pid_t pid;
  pid_t thread;      ///< 0: one of that process, it cannot be told which
  std::string call;  ///< "mq_timedreceive", "futex"
  Need need;
  std::vector<std::size_t> objects;           ///< any of them ends it: several of poll(2) and its like
  std::optional<std::int64_t> since;          ///< CLOCK_MONOTONIC, nanoseconds, where that is known
  std::string unseen = {};                    ///< why it cannot be told what it waits for; "" if it can
  bool sends = false;                         ///< it is who sends: it writes, connects, opens for writing
  bool gives_up = false;                      ///< it has a deadline, and goes on by itself
  bool elsewhere = false;                     ///< what is no object here may end it too: a terminal, a network, a timer
  std::optional<std::size_t> semaphore = {};  ///< of a set: which one keeps it back
  std::vector<pid_t> processes = {};          ///< children, any of whose ends it waits for
  LockClaim lock = {};                        ///< of locks in memory, also those that no other process sees
  bool carries = false;  ///< of a file's lock: it asks through a descriptor that has it, in whose way it is not
};

/// One open descriptor of an object that is listed.
struct Descriptor {
  pid_t pid;
  int number;
  std::size_t object;  ///< in Snapshot::objects
  bool reads = false;
  bool writes = false;
  std::optional<OpenFile> opened = {};  ///< where it was asked for
};

struct Snapshot {
  std::vector<Object> objects;          ///< by kind and name
  std::vector<Process> processes;       ///< those of the edges and waits that live, by pid
  std::vector<Edge> edges;              ///< by object; one for each object, process and relation
  std::vector<Descriptor> descriptors;  ///< by pid and number
  std::vector<Wait> waits;              ///< by pid and thread
  std::vector<std::string> unseen;      ///< sentences
  std::size_t closed_processes = 0;     ///< of which it may not be seen what they have open, or wait for
  std::vector<pid_t> hidden;            ///< of the edges and waits: they live, and /proc does not show them

  const Process* process(pid_t pid) const noexcept;
  /// Whether it lives, and is seen to be stopped.
  bool is_stopped(pid_t pid) const noexcept;
  std::span<const Edge> edges_of(std::size_t object) const noexcept;
  std::span<const Descriptor> descriptors_of(pid_t pid) const noexcept;
  /// Whether somebody is known, or has said, to sleep until something happens to that object.
  bool is_awaited(std::size_t object) const noexcept;
  /// Nothing if no such descriptor leads to an object of the snapshot.
  const Descriptor* descriptor(pid_t pid, int number) const noexcept;
};

struct SnapshotOptions {
  std::vector<Kind> kinds = {};  ///< all if empty
  /// Where FIFOs and sockets are looked for, with all that is below, beside those that somebody has open.
  std::vector<std::string> directories = {"/tmp", "/run"};
  /// Single FIFOs and sockets beside those.
  std::vector<std::string> paths = {};
  /// Directories of domains whose topics, queues and the like are looked at; those that are not there have nothing.
  /// Nothing: the one of the environment, and each /dev/shm/tenon-UID.
  std::optional<std::vector<std::string>> domains = {};
  /// Who waits in which call for what, and the locks in memory among that: two more looks at all threads.
  bool waits = false;
  /// How each descriptor was opened, and the addresses of sockets: one file of /proc more for each descriptor.
  bool details = false;
};

Snapshot snapshot(const SnapshotOptions& options = {});

}  // namespace tenon::inspect
