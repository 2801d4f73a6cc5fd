#pragma once
/// What every process of a soak is and must be again when it leaves.
#include <tenon/os/life.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/sync/holder.hpp>

#include <cstddef>
#include <unistd.h>

namespace soak {

struct Membership {
  explicit Membership(const tenon::Domain& domain)
      : life(tenon::Life::join(domain).or_throw()), holder(tenon::Holder::of(domain, life).or_throw()) {}
  tenon::Life life;
  tenon::Holder holder;
};

inline std::size_t open_descriptors() { return tenon::procfs::descriptors(::getpid()).or_throw().size(); }

}  // namespace soak
