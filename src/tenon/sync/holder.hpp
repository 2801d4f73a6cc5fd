#pragma once
/// Who holds something in shared memory until it gives it back or dies: a member of a domain, by its token. os/life
///
/// A process id comes again, and two processes of different PID namespaces may have the same; a token does neither. Who
/// looks for the dead looks in the domain, so all who share a Semaphore or a Barrier are members of the same one: it
/// remembers which directory that was, and refuses holders of another.
///
/// Threads: all calls from any thread. fork: a copy of a child's is refused as in_child; it joins for itself.
/// Whose life file was removed from outside is not told so here, but by Life::confirm().
#include <tenon/os/life.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tenon {

/// The directory of a domain, wherever it is mounted.
struct DomainId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const DomainId&, const DomainId&) = default;
};

class Holder {
 public:
  /// Borrows the domain, which outlives the holder; `life` is a membership in it. Failures: those of fstat(2).
  static Result<Holder> of(const Domain& domain, const Life& life);

  Token token() const noexcept { return token_; }
  const Domain& domain() const noexcept { return *domain_; }
  const DomainId& domain_id() const noexcept { return id_; }

  /// Whether what is shared was made for members of this domain, and by this process's own membership. Failures:
  /// invalid_argument (another domain), in_child, not_found (this process has left the domain: others would find it
  /// dead, and take back at once what it holds).
  Result<void> may_share(const DomainId& with) const;
  bool is_of_this_process() const noexcept;

 private:
  Holder(const Domain& domain, const Life& life, DomainId id) noexcept;

  const Domain* domain_;
  Token token_;
  DomainId id_;
  pid_t process_;
  std::shared_ptr<const std::atomic<bool>> left_;
  std::uint64_t forks_;  // a descendant may have the id of an ancestor that is dead
};

/// Looks who of the other holders is dead, and keeps their life files open from one look to the next.
class Deaths {
 public:
  explicit Deaths(const Holder& holder) noexcept : holder_(holder) {}

  /// Whether it is a member no more: it died, or it left without giving back what it held. Who cannot be asked is
  /// alive. Failures: limit_reached (descriptors: there are none by which to ask).
  Result<bool> took(Token token);

  /// Closes the life files of all whose tokens stand in no slot any more: who waits for long may see many come and go.
  void forget_all_but(std::span<const std::atomic<std::uint64_t>> slots);
  /// The same for tokens that stand otherwise.
  template <class StandsThere>
  void forget_unless(StandsThere stands_there) {
    std::erase_if(known_, [&](const std::pair<Token, Peer>& known) { return !stands_there(known.first); });
  }
  /// How many life files are open.
  std::size_t open_files() const noexcept { return known_.size(); }

 private:
  Holder holder_;
  std::vector<std::pair<Token, Peer>> known_;
};

}  // namespace tenon
