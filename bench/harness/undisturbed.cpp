#include <harness/undisturbed.hpp>

#include <harness/distance.hpp>

#include <algorithm>

namespace harness {

bool moved(double before, double after, const Steadiness& steadiness) {
  const double smaller = std::min(before, after);
  return distance_of(before) != distance_of(after) ||
         std::max(before, after) - smaller > steadiness.tolerance * smaller;
}

tenon::Result<Attempts> undisturbed(const std::function<tenon::Result<double>()>& probe,
                                    const std::function<tenon::Result<void>()>& cell, const Steadiness& steadiness) {
  Attempts attempts;
  do {
    auto before = probe();
    if (!before) {
      return tenon::fail(std::move(before.error()));
    }
    if (auto done = cell(); !done) {
      return tenon::fail(std::move(done.error()));
    }
    auto after = probe();
    if (!after) {
      return tenon::fail(std::move(after.error()));
    }
    attempts.before = *before;
    attempts.after = *after;
    attempts.made += 1;
    attempts.disturbed = moved(*before, *after, steadiness);
  } while (attempts.disturbed && attempts.made < steadiness.max_attempts);
  return attempts;
}

}  // namespace harness
