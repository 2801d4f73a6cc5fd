#include <limits/limit.hpp>

#include <harness/probe.hpp>

#include <iterator>
#include <utility>

namespace limits {

std::string_view name_of(Where where) noexcept {
  return where == Where::across_cores ? "across cores" : where == Where::one_core ? "one core" : "alone";
}

std::string_view name_of(Kind kind) noexcept {
  return kind == Kind::round_trip ? "round trip" : kind == Kind::one_way ? "one way" : "cost";
}

std::vector<Limit> cache_line(Extent /*the same in both*/) {
  return {{.family = "cache line",
           .subject = harness::bounced_line(),
           .where = Where::across_cores,
           .kind = Kind::round_trip}};
}

std::vector<Limit> all_limits(Extent extent) {
  std::vector<Limit> all;
  for (auto family : {cache_line, sequenced_rings, draining_rings, chunk_pools, futexes, eventfds, copies, costs}) {
    std::vector<Limit> of_family = family(extent);
    std::ranges::move(of_family, std::back_inserter(all));
  }
  return all;
}

}  // namespace limits
