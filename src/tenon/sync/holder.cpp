#include <tenon/sync/holder.hpp>

#include <tenon/sync/locker.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

Holder::Holder(const Domain& domain, const Life& life, DomainId id) noexcept
    : domain_(&domain),
      token_(life.token()),
      id_(id),
      process_(::getpid()),
      left_(life.left()),
      forks_(Locker::forks()) {}

Result<Holder> Holder::of(const Domain& domain, const Life& life) {
  struct stat status{};
  if (::fstat(domain.directory().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(domain.path()));
  }
  return Holder(domain, life, {.device = status.st_dev, .inode = status.st_ino});
}

bool Holder::is_of_this_process() const noexcept { return process_ == ::getpid() && forks_ == Locker::forks(); }

Result<void> Holder::may_share(const DomainId& with) const {
  if (!is_of_this_process()) {
    return fail(Error(Errc::in_child).because("a forked child joins the domain for itself"));
  }
  // relaxed: of this very process, which orders its own calls
  if (left_->load(std::memory_order_relaxed)) {
    return fail(Error(Errc::not_found).on(domain_->path()).because("this process has left the domain"));
  }
  if (with != id_) {
    return fail(Error(Errc::invalid_argument)
                    .on(domain_->path())
                    .because("it was made for members of another domain, whose deaths cannot be seen from this one"));
  }
  return {};
}

// Nothing is known of one that cannot be asked, so it may be alive. But where only descriptors are wanting, who asks
// must not wait for it as long as that lasts.
Result<bool> Deaths::took(Token token) {
  if (token == holder_.token()) {
    return false;
  }
  auto known = std::ranges::find(known_, token, &std::pair<Token, Peer>::first);
  if (known == known_.end()) {
    auto peer = Peer::open(holder_.domain(), token);
    if (peer.failed_with(Errc::not_found)) {
      // Of a domain that was removed nobody is a member, and nobody is dead.
      struct stat status{};
      return ::fstat(holder_.domain().directory().raw(), &status) == 0 && status.st_nlink != 0;
    }
    if (!peer) {
      return peer.failed_with(Errc::limit_reached) ? fail(std::move(peer.error())) : Result<bool>(false);
    }
    known = known_.emplace(known_.end(), token, std::move(*peer));
  }
  const auto standing = known->second.standing();
  if (!standing || *standing == Standing::alive) {
    return false;
  }
  known_.erase(known);
  return true;
}

void Deaths::forget_all_but(std::span<const std::atomic<std::uint64_t>> slots) {
  std::erase_if(known_, [slots](const std::pair<Token, Peer>& known) {
    return std::ranges::none_of(slots, [&](const std::atomic<std::uint64_t>& slot) {
      // relaxed: a token, which is looked up elsewhere
      return slot.load(std::memory_order_relaxed) == known.first.value();
    });
  });
}

}  // namespace tenon
