#include <harness/distance.hpp>

namespace harness {

std::string_view name_of(Distance distance) noexcept {
  return distance == Distance::near ? "near" : distance == Distance::far ? "far" : "none";
}

Distance distance_of(double nanoseconds) noexcept {
  constexpr double border = 250;
  return nanoseconds <= 0 ? Distance::none : nanoseconds <= border ? Distance::near : Distance::far;
}

}  // namespace harness
