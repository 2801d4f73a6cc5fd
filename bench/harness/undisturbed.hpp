#pragma once
/// A cell counts only if the processors stood as far apart after it as before it.
#include <tenon/base/result.hpp>

#include <functional>

namespace harness {

struct Steadiness {
  /// Two probes differ by more than this part of the smaller one: the processors were moved between them. A line that
  /// is bounced between cores that stay where they are was seen to take from 63 to 95 ns, from one probe to the next.
  double tolerance = 0.6;
  int max_attempts = 3;
};

struct Attempts {
  double before = 0;  ///< the probes around the attempt that counts, in nanoseconds
  double after = 0;
  int made = 0;
  bool disturbed = false;  ///< the last attempt was disturbed as well
};

/// Beyond the tolerance, or from near to far or back.
bool moved(double before, double after, const Steadiness& steadiness);

/// Probes, does the cell, probes again; once more from the start when the processors moved meanwhile, up to
/// `max_attempts`. `cell` must begin anew at each call. Failures: those of `probe` and `cell`, at the first.
tenon::Result<Attempts> undisturbed(const std::function<tenon::Result<double>()>& probe,
                                    const std::function<tenon::Result<void>()>& cell,
                                    const Steadiness& steadiness = {});

}  // namespace harness
