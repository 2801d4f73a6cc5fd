#pragma once
/// A process's place in a domain, with all that handles which share something there are made from.
#include <tenon/os/domain.hpp>
#include <tenon/os/life.hpp>
#include <tenon/sync/holder.hpp>

#include <memory>
#include <utility>

namespace tenon {

/// What was made with its holder goes before it does.
struct Membership {
  std::shared_ptr<const Domain> domain;
  Life life;
  Holder holder;

  /// Failures: those of Life::join and Holder::of.
  static Result<Membership> join(std::shared_ptr<const Domain> domain) {
    auto life = Life::join(*domain);
    if (!life) {
      return fail(std::move(life.error()));
    }
    return Holder::of(*domain, *life).transform([&](const Holder& holder) {
      return Membership{.domain = std::move(domain), .life = std::move(*life), .holder = holder};
    });
  }
};

}  // namespace tenon
