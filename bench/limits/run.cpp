#include <limits/run.hpp>

#include <harness/distance.hpp>

#include <chrono>
#include <tuple>

namespace limits {

using harness::Placement;
using tenon::fail;
using tenon::Result;

using namespace std::chrono_literals;

Result<Placement> placement_of(Where where) {
  switch (where) {
    case Where::across_cores:
      return harness::across_cores(2);
    case Where::one_core:
      return harness::one_core(2);
    case Where::alone:
      return harness::alone();
  }
  return fail(tenon::Errc::invalid_argument);
}

bool tells_more(const Row& row, const Row& than) {
  const auto rank = [](const Row& one) {
    const bool not_near =
        one.where == Where::across_cores && harness::distance_of(one.attempts.after) != harness::Distance::near;
    return std::tuple(!one.not_measured.empty(), one.attempts.disturbed, not_near, one.figure.nanoseconds);
  };
  return rank(row) < rank(than);
}

Result<Bench> Bench::start(Extent extent) {
  Bench bench(extent, harness::Clock::calibrate());
  auto probe = harness::Probe::start(bench.clock_, tenon::after(10s));
  if (probe) {
    bench.probe_.emplace(std::move(*probe));
  } else if (!probe.failed_with(tenon::Errc::not_supported)) {
    return fail(std::move(probe.error()));
  }
  return bench;
}

// A quick run goes through the limits once, so it starts each several times; a full one starts each once in each of its
// many rounds. Most of what a large subject takes is the faulting in of its pages, which are so many that one start is
// like another.
harness::Pace Bench::pace_for(std::size_t shared_bytes) const {
  constexpr std::size_t large = std::size_t{24} << 20;
  harness::Pace pace{.starts = 1, .max_starts = 1};
  if (extent_ == Extent::quick) {
    pace.block = 500us;
    pace.blocks = 7;
    pace.starts = shared_bytes > large ? 1 : 3;
    pace.max_starts = pace.starts;
  }
  return pace;
}

Result<double> Bench::probe() {
  if (!probe_) {
    return 0.0;
  }
  auto distance = probe_->measure(tenon::after(10s));
  if (!distance) {  // its processes are gone with it: the next cell has new ones
    auto another = harness::Probe::start(clock_, tenon::after(10s));
    if (!another) {
      return fail(std::move(another.error()));
    }
    probe_.emplace(std::move(*another));
  }
  return distance;
}

Result<harness::Attempts> Bench::between_probes(const std::function<Result<void>()>& cell) {
  return harness::undisturbed([this] { return probe(); }, cell);
}

Result<Row> Bench::measure(const Limit& limit) {
  Row row{.name = limit.subject.name,
          .family = limit.family,
          .where = limit.where,
          .kind = limit.kind,
          .payload_bytes = limit.payload_bytes,
          .not_measured = {},
          .figure = {},
          .attempts = {}};
  auto placement = placement_of(limit.where);
  if (!placement) {
    row.not_measured = placement.error().message();
    return row;
  }
  auto attempts = between_probes([&]() -> Result<void> {
    return harness::measure(limit.subject, *placement, clock_, pace_for(limit.subject.shared_bytes))
        .transform([&](harness::Figure figure) { row.figure = figure; });
  });
  if (!attempts) {
    return fail(std::move(attempts.error()));
  }
  row.attempts = *attempts;
  if (limit.kind != Kind::round_trip) {
    row.figure.single = {};  // most are shorter than a look at the clock
  }
  return row;
}

Result<PairRow> Bench::compare(const LimitPair& pair) {
  return compare(pair.name, pair.limit.subject, pair.subject, placement_of(pair.limit.where));
}

Result<PairRow> Bench::compare(const std::string& name, const harness::Subject& limit, const harness::Subject& subject,
                               const Result<Placement>& placement) {
  harness::Pace pace = extent_ == Extent::quick ? pace_for(0) : harness::Pace{};
  if (placement && !placement->exclusive && subject.sides.size() > 2) {
    pace.block = 50ms;  // who share a processor take turns of milliseconds: a block has many of them
  }
  return compare(name, limit, subject, placement, {.pace = pace});
}

Result<PairRow> Bench::compare(const std::string& name, const harness::Subject& limit, const harness::Subject& subject,
                               const Result<Placement>& placement, const harness::PairedPace& pace) {
  PairRow row{.name = name, .not_measured = {}, .figure = {}, .attempts = {}};
  if (!placement) {
    row.not_measured = placement.error().message();
    return row;
  }
  std::uint64_t limits_operations = 0;  // in all attempts
  std::uint64_t operations = 0;
  auto attempts = between_probes([&]() -> Result<void> {
    return harness::compare(limit, subject, *placement, clock_, pace).transform([&](harness::PairedFigure figure) {
      limits_operations += figure.limit.operations;
      operations += figure.subject.operations;
      row.figure = figure;
      row.figure.limit.operations = limits_operations;
      row.figure.subject.operations = operations;
    });
  });
  if (!attempts) {
    return fail(std::move(attempts.error()));
  }
  row.attempts = *attempts;
  return row;
}

}  // namespace limits
