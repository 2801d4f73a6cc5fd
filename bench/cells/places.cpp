#include <cells/places.hpp>

#include <harness/probe.hpp>

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace cells {

using harness::Placement;
using tenon::Result;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_looked_at = 16;
constexpr double far_beside_near = 2;

// One processor of each core.
std::vector<int> cores() {
  for (std::size_t count = harness::allowed_processors().size(); count > 1; --count) {
    if (auto placement = harness::across_cores(count)) {
      return placement->processors;
    }
  }
  return {harness::allowed_processors().front()};
}

Placement two(const char* name, int first, int second) {
  return {.name = name, .processors = {first, second}, .exclusive = first != second};
}

Result<double> distance(const Placement& placement, const harness::Clock& clock) {
  auto team = harness::Team::start(harness::bounced_line(), placement, clock, tenon::after(10s));
  double least = 0;
  for (int i = 0; team && i < 5; ++i) {
    auto block = team->run(1000, 250, harness::Observe::time_alone, tenon::after(10s));
    if (!block) {
      return tenon::fail(std::move(block.error()));
    }
    least = i == 0 ? block->per_operation() : std::min(least, block->per_operation());
  }
  return team ? Result<double>(least) : tenon::fail(std::move(team.error()));
}

}  // namespace

Result<Places> Places::find(const harness::Clock& clock) {
  Places places;
  const std::vector<int> all = cores();
  places.pairs_.push_back({.place = Place::one_core, .placement = two("one core", all.front(), all.front())});
  std::vector<Pair> others;
  for (std::size_t i = 1; i < std::min(all.size(), most_looked_at + 1); ++i) {
    Pair pair{.place = Place::near, .placement = two("across cores", all.front(), all[i])};
    auto nanoseconds = distance(pair.placement, clock);
    if (!nanoseconds) {
      return tenon::fail(std::move(nanoseconds.error()));
    }
    pair.nanoseconds = *nanoseconds;
    others.push_back(std::move(pair));
  }
  if (!others.empty()) {
    std::ranges::sort(others, {}, &Pair::nanoseconds);
    places.pairs_.push_back(others.front());
    if (others.back().nanoseconds > far_beside_near * others.front().nanoseconds) {
      others.back().place = Place::far;
      places.pairs_.push_back(others.back());
    }
  }
  return places;
}

bool Places::has(Place place) const noexcept { return std::ranges::find(pairs_, place, &Pair::place) != pairs_.end(); }

Result<Placement> Places::placement_of(const Cell& cell, std::size_t sides) const {
  if (sides == 1) {
    return harness::alone();
  }
  if (sides > 2) {
    return harness::one_and_others(sides);
  }
  const auto found = std::ranges::find(pairs_, cell.place, &Pair::place);
  if (found == pairs_.end()) {
    return tenon::fail(tenon::Error(tenon::Errc::not_supported)
                           .because(fmt::format("this machine has no two cores that are {}", name_of(cell.place))));
  }
  return found->placement;
}

std::string Places::description() const {
  std::string text;
  for (const Pair& pair : pairs_) {
    const auto& processors = pair.placement.processors;
    text += text.empty() ? "" : "; ";
    text += pair.place == Place::one_core ? fmt::format("one core: {}", processors.front())
                                          : fmt::format("{}: {} and {}, a line in {:.0f} ns", name_of(pair.place),
                                                        processors[0], processors[1], pair.nanoseconds);
  }
  return has(Place::far) ? text : text + "; no far cores";
}

}  // namespace cells
