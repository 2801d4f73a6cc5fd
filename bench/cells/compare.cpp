#include <cells/report.hpp>

#include <harness/table.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace cells {

namespace {

// Less than this is nothing that two runs could agree on.
constexpr double least_change = 0.02;

double change(const Interval& old, const Interval& now) { return now.median / old.median - 1; }

Verdict judge(const Told& old, const Told& now) {
  if (old.distance != now.distance) {
    return Verdict::apart;
  }
  const double time = change(old.nanoseconds, now.nanoseconds);
  // Beside another limit, the ratio is another thing.
  const bool same_limit = old.limit == now.limit;
  const double ratio = same_limit ? change(old.ratio, now.ratio) : time;
  const bool beyond = !old.nanoseconds.overlaps(now.nanoseconds) || (same_limit && !old.ratio.overlaps(now.ratio));
  if (!beyond || std::min(std::abs(time), std::abs(ratio)) < least_change || (time > 0) != (ratio > 0)) {
    return Verdict::same;
  }
  return time > 0 ? Verdict::slower : Verdict::faster;
}

const char* text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::same:
      return "same";
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "SLOWER";
    case Verdict::apart:
      return "cannot be told: the processors stood otherwise";
    case Verdict::new_row:
      return "new";
    case Verdict::gone:
      return "not measured now";
  }
  return "";
}

}  // namespace

std::vector<Compared> compare(const std::vector<Told>& old, const std::vector<Told>& now) {
  std::vector<Compared> all;
  for (const Told& row : now) {
    const auto before = std::ranges::find(old, row.name, &Told::name);
    all.push_back(before == old.end() ? Compared{.name = row.name, .verdict = Verdict::new_row}
                                      : Compared{.name = row.name,
                                                 .verdict = judge(*before, row),
                                                 .change = change(before->nanoseconds, row.nanoseconds)});
  }
  for (const Told& row : old) {
    if (std::ranges::find(now, row.name, &Told::name) == now.end()) {
      all.push_back({.name = row.name, .verdict = Verdict::gone});
    }
  }
  return all;
}

std::string table_of(const std::vector<Compared>& rows) {
  using harness::Table;
  Table table({{"beside the run before", Table::Side::left}, {"time"}, {"", Table::Side::left}});
  for (const Compared& row : rows) {
    const bool has_change = row.verdict != Verdict::new_row && row.verdict != Verdict::gone;
    table.add({row.name, has_change ? fmt::format("{:+.1f}%", 100 * row.change) : "–", text_of(row.verdict)});
  }
  return table.text();
}

}  // namespace cells
