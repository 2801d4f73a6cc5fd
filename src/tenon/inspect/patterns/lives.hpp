#pragma once
/// Who of a domain lives, for one look at it: each member is asked once. os/life_peer.hpp
///
/// The life files are listed when that is first of use, and again for each token that is not among them: whoever joins
/// while somebody looks may make an endpoint before the look gets to it, and lives.
#include <tenon/os/domain.hpp>
#include <tenon/os/life_member.hpp>
#include <tenon/os/token.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace tenon::inspect {

class Lives {
 public:
  /// The domain is to outlive it.
  explicit Lives(const Domain& domain) noexcept : Lives(domain.directory()) {}
  /// That of a domain, opened.
  explicit Lives(FdView directory) noexcept : directory_(directory) {}

  /// Whether the member of that token has died, or is there no more. Who cannot be asked lives.
  bool is_gone(Token life);
  /// Its process, in its PID namespace, alive or dead. Nothing once its life file is gone.
  std::optional<pid_t> pid_of(Token life);
  /// What its life file's name says of it. Nothing once that is gone.
  std::optional<Member> member_of(Token life);

 private:
  const LifeName* listed(Token life) const noexcept;
  bool ask(Token life);

  FdView directory_;
  std::vector<LifeName> names_;
  std::vector<std::pair<Token, bool>> asked_;
};

}  // namespace tenon::inspect
