#pragma once
/// How far apart two processors are at this moment.
///
/// On a virtual machine the processors may be moved between blocks: "near" ones share a last-level cache, "far" ones
/// do not, and everything that two processes do together is then several times slower. So the one thing that depends on
/// nothing else, a cache line bounced there and back, is measured before and after each cell.
#include <harness/distance.hpp>
#include <harness/team.hpp>

namespace harness {

/// One line that two processes bounce there and back: an operation is one round trip.
Subject bounced_line();

class Probe {
 public:
  /// Failures: not_supported, where fewer than two cores may be used.
  static tenon::Result<Probe> start(const Clock& clock, tenon::Deadline deadline);

  /// Nanoseconds there and back: the least of several short blocks, since whatever disturbs one makes it longer.
  tenon::Result<double> measure(tenon::Deadline deadline);

 private:
  explicit Probe(Team team) : team_(std::move(team)) {}
  Team team_;
};

}  // namespace harness
