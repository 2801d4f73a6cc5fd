// Edges:
//   S1  store-release odd (there) → load-acquire (back): the line has arrived.
//   S2  store-release even (back) → load-acquire (there): it is home again.
#include <harness/probe.hpp>

#include <tenon/base/cache_line.hpp>
#include <harness/spin.hpp>

#include <algorithm>
#include <atomic>

namespace harness {

namespace {

using Line = std::atomic<std::uint64_t>;

Loop there(tenon::MutableBytes shared) {
  return [&line = *reinterpret_cast<Line*>(shared.data()), at = std::uint64_t{0}](Round& round) mutable {
    for (std::uint64_t i = 0; i < round.operations(); ++i, at += 2) {
      line.store(at + 1, std::memory_order_release);                               // S1
      spin_until([&] { return line.load(std::memory_order_acquire) == at + 2; });  // S2
      round.mark();
    }
  };
}

Loop back(tenon::MutableBytes shared) {
  return [&line = *reinterpret_cast<Line*>(shared.data()), at = std::uint64_t{0}](Round& round) mutable {
    for (std::uint64_t i = 0; i < round.operations(); ++i, at += 2) {
      spin_until([&] { return line.load(std::memory_order_acquire) == at + 1; });  // S1
      line.store(at + 2, std::memory_order_release);                               // S2
    }
  };
}

}  // namespace

Subject bounced_line() {
  return {.name = "one cache line, there and back",
          .shared_bytes = tenon::cache_line,
          .sides = {{"there", there}, {"back", back}}};
}

tenon::Result<Probe> Probe::start(const Clock& clock, tenon::Deadline deadline) {
  auto placement = across_cores(2);
  if (!placement) {
    return tenon::fail(std::move(placement.error()));
  }
  return Team::start(bounced_line(), *placement, clock, deadline).transform([](Team team) {
    return Probe(std::move(team));
  });
}

tenon::Result<double> Probe::measure(tenon::Deadline deadline) {
  constexpr int blocks = 7;
  constexpr std::uint64_t trips = 1000;
  double least = 0;
  for (int i = 0; i < blocks; ++i) {
    auto block = team_.run(trips, trips / 4, Observe::time_alone, deadline);
    if (!block) {
      return tenon::fail(std::move(block.error()));
    }
    const double trip = block->per_operation();
    least = i == 0 ? trip : std::min(least, trip);
  }
  return least;
}

}  // namespace harness
