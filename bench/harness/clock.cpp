#include <harness/clock.hpp>

#include <tenon/os/procfs.hpp>
#include <harness/percentiles.hpp>

#include <vector>

namespace harness {

namespace {

// The kernel chooses the counter as its clock source only after checking that it is invariant and in step on all
// processors: its judgement is better than the processor's feature bits.
[[maybe_unused]] bool kernel_trusts_the_counter() {
  auto source = tenon::procfs::text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  return source && source->starts_with("tsc");
}

double cost_of(const Clock& clock) {
  constexpr int calls = 1000;
  std::vector<double> costs;
  for (int round = 0; round < 21; ++round) {
    const std::uint64_t start = clock.ticks();
    std::uint64_t last = start;
    for (int call = 0; call < calls; ++call) {
      last = clock.ticks();
    }
    costs.push_back(clock.nanoseconds(last - start) / calls);
  }
  return median_of(std::move(costs));
}

}  // namespace

Clock Clock::calibrate() {
  Clock clock;
#if defined(__x86_64__)
  clock.counter_ = kernel_trusts_the_counter();
  if (clock.counter_) {
    // The median: a process taken off the processor between the two reads makes one rate wrong, rarely three of five.
    std::vector<double> rates;
    for (int round = 0; round < 5; ++round) {
      const std::int64_t start = tenon::monotonic_now();
      const std::uint64_t first = clock.ticks();
      std::int64_t now = start;
      while (now - start < 4'000'000) {
        now = tenon::monotonic_now();
      }
      rates.push_back(static_cast<double>(now - start) / static_cast<double>(clock.ticks() - first));
    }
    clock.nanoseconds_per_tick_ = median_of(std::move(rates));
  }
#endif
  clock.cost_ = cost_of(clock);
  return clock;
}

}  // namespace harness
