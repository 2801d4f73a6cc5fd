#pragma once
/// Who is at the ends of a channel: one small file per channel in the domain. docs/channels.md
///
/// A kernel object does not tell who is at its other end, and two receivers would tear each other's messages apart. So
/// each end enters itself here: one receiver, any number of senders, each by the Token of its life file. A dead one's
/// entry counts for nothing, except that a dead sender's stays readable for as long as the receiver lives that may have
/// known it. The file is written under its lock (flock, which the kernel drops at death), never mapped.
///
///     byte 0     8         12         16           20         24       32           64            4096       4160
///          | magic | version | made bit | uri length | reserved | object | reserved … | uri … | record 0 | record 1 …
///          | u64   | u32     | u32      | u32        | u32      | u64    |            |       | 64 bytes each
///
///     record, byte 0      8      12      16    20    24        32               36
///                 | token | role | state | pid | uid | joined | receivers gone | reserved …
///                 | u64   | u32  | u32   | u32 | u32 | i64 ns | u32            |
///
/// If a process dies here: before its record is written, the file says nothing of it; after, its token is known to be
/// dead. A file whose header was not written whole is empty or short, and whoever has the lock writes it anew. The last
/// one out removes the kernel object, if a channel made it, then the file; if all died, the next one in, or a sweep,
/// does it.
///
/// If somebody removes, replaces or damages the file, a life file or the object from outside, those who are entered
/// learn it from progress(), and those who come learn it when they join: nobody goes on in two separate halves.
#include <tenon/base/deadline.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

enum class Role : std::uint32_t { receiver = 1, sender = 2 };

/// How far a participant has got. A receiver's is always open.
enum class Progress : std::uint32_t {
  open = 1,
  confirmed = 2,  ///< the receiver has taken everything up to the sender's end
  left = 3,       ///< the sender has left without that, while the receiver was there
};

struct Participant {
  Token token;
  Role role;
  Progress progress;
  pid_t pid;
  uid_t uid;
  bool alive;
};

/// Makes the kernel object of a channel, and removes it. Called under the rendezvous' lock.
struct ObjectKeeper {
  /// The object that is there, as a number that no other object of its kind has meanwhile, never 0. Nothing if there is
  /// none, or only half of one.
  std::function<Result<std::optional<std::uint64_t>>()> find = [] { return std::optional<std::uint64_t>(1); };
  std::function<Result<void>()> make = [] { return Result<void>(); };
  /// In place of make, where what a killed maker left can be told from what somebody else has made since: calls the
  /// function with the object's number as soon as it is there, and before it is of use to anybody.
  std::function<Result<void>(const std::function<Result<void>(std::uint64_t)>&)> make_and_note = nullptr;
  /// Whether an object that was there before, and that nobody uses now, will do.
  std::function<Result<void>()> accept = [] { return Result<void>(); };
  /// Only a receiver can make it, once it has entered: from the first entry on it counts as made, with the number 1.
  bool made_by_receiver = false;
  /// Also for what other channels of the domain left behind: takes the URI that stands in their file, and which object
  /// it was, 0 if its maker died before it could note that. Leaves an object alone that is another one, or may be: with
  /// make_and_note one that has no number is only the channel's if it is half-made.
  std::function<void(const Domain& domain, const std::string& uri, std::uint64_t object)> remove =
      [](const Domain&, const std::string&, std::uint64_t) {};
};

/// Threads: one at a time. fork: the parent's alone; the child's copy does nothing.
class Rendezvous {
 public:
  /// Enters this process at one end of the channel. Outcomes: already_exists (there is a living receiver: its process
  /// is named), timed_out, stopped, stale (the object was removed or replaced while others use it). Failures: those of
  /// the object's own, corrupt, no_space, permission_denied, limit_reached (4,096 participants).
  static Result<Rendezvous> join(std::shared_ptr<const Domain> domain, const std::string& uri, Role role,
                                 ObjectKeeper keeper, Deadline deadline);

  /// Leaves as leave() does, and drops the error. In a forked child it does nothing.
  ~Rendezvous();
  Rendezvous(Rendezvous&&) noexcept;
  Rendezvous& operator=(Rendezvous&&) noexcept;
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  Token token() const noexcept;
  /// Which object the channel leads to, as the keeper numbered it when this end joined.
  std::uint64_t object() const noexcept;

  /// Whether this is the process that joined. Outcomes: in_child (a forked child's copy, which must not touch what its
  /// parent uses).
  Result<void> check_own() const;
  /// How far this end has got; takes no lock. Outcomes: stale (this end's entry, or its life file, was removed or
  /// damaged from outside: others may have taken its place).
  Result<Progress> progress() const;
  /// For a sender: how many receivers have left, and had not confirmed it, since it joined. One that has come and gone
  /// between two looks is known by nothing else. Outcomes: as of progress().
  Result<std::uint32_t> receivers_gone() const;
  /// Whether there is an entry of the other role, a dead one's counting too; takes no lock.
  bool sees_other_role() const;
  /// Waits until somebody of the other role has come, one that has died or left again meanwhile counting too: for
  /// mechanisms that do not tell. Outcomes: timed_out, stopped, stale (also: the object was removed or replaced).
  Result<void> await_other_role(Deadline deadline) const;
  /// Everybody who is entered, the dead who did not leave among them. Outcomes: timed_out, stopped, not_found.
  Result<std::vector<Participant>> entered(Deadline deadline) const;
  /// A watch on one of them. Outcomes: not_found (gone for good). Failures: limit_reached.
  Result<Peer> peer(Token token) const;

  /// For the receiver: says that it has everything that `sender` sent.
  Result<void> confirm(Token sender, Deadline deadline);
  /// For the receiver: it has been told of this sender's end, and needs its entry no more.
  Result<void> forget(Token sender, Deadline deadline);

  /// Takes this end out; the last one out removes object and file. Outcomes: timed_out (somebody holds the lock: who
  /// comes next cleans up). Failures: in_child.
  Result<void> leave(Deadline deadline) &&;

  /// Removes what channels left behind all of whose participants are dead. Idempotent; may be killed anywhere.
  static void sweep(const Domain& domain, const ObjectKeeper& keeper);

 private:
  struct Place;
  explicit Rendezvous(std::unique_ptr<Place> place);
  std::unique_ptr<Place> place_;
};

}  // namespace tenon
