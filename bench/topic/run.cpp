#include <topic/run.hpp>

#include <utility>

namespace topics {

using tenon::fail;
using tenon::Result;

double most_of(const Aim& aim, double limit, double clock) {
  if (aim.nanoseconds > 0) {
    return aim.nanoseconds / limit;
  }
  return aim.ratio * (limit + aim.clock_reads_within * clock) / limit + aim.clock_reads_beside * clock / limit;
}

Result<Run> Run::start(limits::Extent extent) {
  return limits::Bench::start(extent).transform([](limits::Bench bench) { return Run(std::move(bench)); });
}

Result<std::size_t> Run::best_of(const std::vector<limits::Limit>& limits) {
  if (limits.size() == 1) {
    return 0;
  }
  std::string names;
  for (const limits::Limit& limit : limits) {
    names += limit.subject.name + "\n";
  }
  if (const auto known = best_.find(names); known != best_.end()) {
    return known->second;
  }
  std::size_t best = 0;
  double least = 0;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    auto row = bench_.measure(limits[i]);
    if (!row) {
      return fail(std::move(row.error()));
    }
    if (i == 0 || row->figure.nanoseconds < least) {
      best = i;
      least = row->figure.nanoseconds;
    }
  }
  return best_[names] = best;
}

Result<limits::PairRow> Run::beside_its_best(const Row& row, MeasuredRow& measured) {
  auto best = row.placement ? best_of(row.limits) : Result<std::size_t>(0);
  if (!best) {
    return fail(std::move(best.error()));
  }
  const harness::Subject& limit = row.limits[*best].subject;
  measured.limit = limit.name;
  return bench_.compare(row.name, limit, row.subject, row.placement);
}

MeasuredRow Run::measure(const Row& row) {
  MeasuredRow measured{.group = row.group,
                       .name = row.name,
                       .options = row.options,
                       .limit = {},
                       .kind = row.kind,
                       .deliveries = row.deliveries,
                       .pair = {}};
  auto pair = beside_its_best(row, measured);
  if (!pair) {
    measured.failed = true;
    measured.pair = {.name = row.name, .not_measured = pair.error().message(), .figure = {}, .attempts = {}};
    return measured;
  }
  measured.pair = std::move(*pair);
  if (measured.pair.not_measured.empty()) {
    measured.aim = most_of(row.aim, measured.pair.figure.limit.nanoseconds, bench_.clock().cost());
  }
  return measured;
}

}  // namespace topics
