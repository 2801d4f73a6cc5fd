#include <tenon/sync/holder.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

Result<Holder> Holder::of(const Domain& domain, const Life& life) {
  struct stat status{};
  if (::fstat(domain.directory().raw(), &status) == -1) {
    return fail(os_failure("fstat", errno).on(domain.path()));
  }
  return Holder(domain, life.token(), {.device = status.st_dev, .inode = status.st_ino}, ::getpid());
}

bool Holder::is_of_this_process() const noexcept { return process_ == ::getpid(); }

Result<void> Holder::may_share(const DomainId& with) const {
  if (!is_of_this_process()) {
    return fail(Error(Errc::in_child).because("a forked child joins the domain for itself"));
  }
  if (with != id_) {
    return fail(Error(Errc::invalid_argument)
                    .on(domain_->path())
                    .because("it was made for members of another domain, whose deaths cannot be seen from this one"));
  }
  return {};
}

bool Deaths::took(Token token) {
  if (token == holder_.token()) {
    return false;
  }
  auto known = std::ranges::find(known_, token, &std::pair<Token, Peer>::first);
  if (known == known_.end()) {
    auto peer = Peer::open(holder_.domain(), token);
    if (peer.failed_with(Errc::not_found)) {
      // Of a domain that was removed nobody is a member, and nobody is dead.
      const auto standing = standing_of(holder_.domain(), token);
      return standing && *standing == Standing::absent;
    }
    if (!peer) {
      return false;
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

}  // namespace tenon
