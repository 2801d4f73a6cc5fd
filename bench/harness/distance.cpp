#include <harness/distance.hpp>

namespace harness {

std::string_view name_of(Distance distance) noexcept {
  switch (distance) {
    case Distance::sibling:
      return "sibling";
    case Distance::near:
      return "near";
    case Distance::far:
      return "far";
    case Distance::none:
      break;
  }
  return "none";
}

Distance distance_of(double nanoseconds) noexcept {
  // Seen on one machine: 67 ns or 100 to 170, and nothing between; 300 to 500 where two caches take part.
  constexpr double least_near = 90, most_near = 250;
  if (nanoseconds <= 0) {
    return Distance::none;
  }
  return nanoseconds < least_near ? Distance::sibling : nanoseconds <= most_near ? Distance::near : Distance::far;
}

}  // namespace harness
