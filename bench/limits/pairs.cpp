// Limits beside each other, in pairs of blocks. The first pair is a subject beside itself: how far its ratio lies from
// 1 is what this machine makes of two equal things, and no other ratio is better known than that.
#include <tenon/base/contract.hpp>
#include <harness/probe.hpp>
#include <limits/limit.hpp>

#include <algorithm>

namespace limits {

namespace {

Limit named(const std::vector<Limit>& limits, Where where, Kind kind, std::size_t payload_bytes) {
  const auto found = std::ranges::find_if(limits, [&](const Limit& limit) {
    return limit.where == where && limit.kind == kind && limit.payload_bytes == payload_bytes;
  });
  tenon::expects(found != limits.end(), "a pair is made of limits that there are");
  return *found;
}

}  // namespace

std::vector<LimitPair> all_pairs() {
  constexpr auto across = Where::across_cores;
  constexpr auto trip = Kind::round_trip;
  const Limit line = cache_line(Extent::quick).front();
  const Limit sequenced = named(sequenced_rings(Extent::quick), across, trip, 64);
  return {
      {.name = "cache line beside itself", .limit = line, .subject = line.subject},
      {.name = "sequenced ring, 64 B, beside the cache line", .limit = line, .subject = sequenced.subject},
      {.name = "draining ring, 64 B, beside the sequenced, round trip",
       .limit = sequenced,
       .subject = named(draining_rings(Extent::quick), across, trip, 64).subject},
      {.name = "eventfd beside futex, across cores",
       .limit = named(futexes(Extent::quick), across, trip, 0),
       .subject = named(eventfds(Extent::quick), across, trip, 0).subject},
      {.name = "eventfd beside futex, one core",
       .limit = named(futexes(Extent::quick), Where::one_core, trip, 0),
       .subject = named(eventfds(Extent::quick), Where::one_core, trip, 0).subject},
  };
}

}  // namespace limits
