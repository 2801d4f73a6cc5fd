#pragma once
/// How it stands with one other member of a domain. fcntl_locking(2), F_GETLK
///
/// Asked is the lock on its life file, which the kernel drops when the process dies, however it dies, and which nobody
/// here ever takes: who tests by taking is taken for the living by others. A member that is stopped, swapped out or
/// hung keeps its lock and is alive; so is one that leaves, to those who have its file open, until it has closed it.
///
/// A life file of this very process, made by another copy of the library, is never opened: closing it again would
/// drop that copy's lock. It is recognised among this process's own descriptors instead.
///
/// Threads: all calls from any thread, also on the same Peer.
#include <tenon/base/deadline.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/life_layout.hpp>
#include <tenon/os/life_member.hpp>

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace tenon {

enum class Standing : std::uint8_t {
  alive,   ///< it holds its lock
  left,    ///< it said that it leaves
  died,    ///< it holds its lock no more, and did not say so
  absent,  ///< no such member any more: it left, or it died and was swept up. A token never comes back
};

/// "alive", "left", …
std::string_view name_of(Standing standing) noexcept;

/// How it stands with the member that has this token, by its name in the directory. A token must have been learned
/// from a member: before it has joined, it is absent. Looks through the whole directory; who asks again opens a Peer.
/// Outcomes: not_found (the domain was removed). Failures: permission_denied (another user's file in a domain that is
/// not shared), limit_reached (descriptors).
Result<Standing> standing_of(const Domain& domain, Token token);
/// The one whose name was read in the directory: absent if it has lost that name. Failures: also wrong_kind.
Result<Standing> standing_of(FdView directory, const LifeName& name);

/// An open watch on one other member.
class Peer {
 public:
  /// Outcomes: not_found (it is absent). Failures: permission_denied, limit_reached, wrong_kind.
  static Result<Peer> open(const Domain& domain, Token token);
  /// The one whose name was read in the directory.
  static Result<Peer> open(FdView directory, const LifeName& name);

  const Member& who() const noexcept { return name_.who; }
  /// What it wrote when it joined. Failures: corrupt (short, no magic), version_mismatch (naming both).
  Result<LifeRecord> record() const;
  /// For messages: "pid 17 (uid 1000): /usr/bin/recorder --all", shorter if its record cannot be read.
  std::string message() const;

  /// alive, left or died: one system call while it lives. Failures: in_child (only for a member of this very process).
  Result<Standing> standing() const;

  /// Whether it has said that it leaves: it may still be alive, on its way out. What cannot be read says nothing.
  bool says_it_left() const noexcept;

  /// Waits until it is alive no more; returns whether it left or died. Looks every 50 ms, and at nothing else, so
  /// that it needs no inotify instance and believes no process id. Outcomes: timed_out, stopped.
  Result<Standing> wait_for_death(Deadline deadline) const;

 private:
  Peer(Fd fd, const LifeName& name) : fd_(std::move(fd)), name_(name) {}
  Peer(int own_number, dev_t device, ino_t inode, const LifeName& name)
      : name_(name), own_number_(own_number), device_(device), inode_(inode) {}
  static Result<Peer> open_other(FdView directory, const LifeName& name);
  bool is_own() const noexcept { return own_number_ >= 0; }
  FdView file() const noexcept { return is_own() ? FdView(own_number_) : fd_.view(); }
  Result<Standing> standing_of_own() const;

  Fd fd_ = Fd::adopt(-1);
  LifeName name_;
  // A file of this process: the descriptor that the other copy holds, borrowed and never closed.
  int own_number_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  pid_t opener_ = own_process();
  static pid_t own_process() noexcept;
};

}  // namespace tenon
