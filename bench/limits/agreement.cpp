#include <limits/agreement.hpp>

#include <harness/table.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

namespace limits {

using tenon::fail;
using tenon::Result;

namespace {

struct Measured {
  double nanoseconds = 0;
  std::string distance;
  bool depends_on_distance = false;
  bool disturbed = false;
};
using Run = std::map<std::string, Measured>;

Result<Run> run_from(std::string_view text, const char* which) {
  Run run;
  try {
    const nlohmann::json report = nlohmann::json::parse(text);
    for (const auto& row : report.at("limits")) {
      if (row.contains("not_measured")) {
        continue;
      }
      const auto& probe = row.at("probe");
      run[row.at("name")] = {.nanoseconds = row.at("ns_per_operation"),
                             .distance = probe.at("distance"),
                             .depends_on_distance = row.at("where") == "across cores",
                             .disturbed = probe.at("disturbed")};
    }
  } catch (const nlohmann::json::exception& error) {
    return fail(tenon::Error(tenon::Errc::corrupt).on(which).because(error.what()));
  }
  return run;
}

Difference difference_of(const std::string& name, const Measured& first, const Measured& second) {
  Difference difference{.name = name, .first = first.nanoseconds, .second = second.nanoseconds, .not_comparable = {}};
  if (first.disturbed || second.disturbed) {
    difference.not_comparable = "disturbed";
  } else if (first.depends_on_distance && first.distance != second.distance) {
    difference.not_comparable = first.distance + " and " + second.distance;
  }
  return difference;
}

bool larger(const Difference& a, const Difference& b) {
  return std::tuple(!a.missing, !a.not_comparable.empty(), -a.relative(), std::string_view(a.name)) <
         std::tuple(!b.missing, !b.not_comparable.empty(), -b.relative(), std::string_view(b.name));
}

}  // namespace

double Difference::relative() const {
  const double smaller = std::min(first, second);
  return smaller > 0 ? std::max(first, second) / smaller - 1 : 0;
}

std::optional<double> Agreement::largest() const {
  std::optional<double> largest;
  for (const Difference& row : rows) {
    if (!row.missing && row.not_comparable.empty()) {
      largest = std::max(largest.value_or(0), row.relative());
    }
  }
  return largest;
}

bool Agreement::within(double tolerance) const {
  const bool complete = std::ranges::none_of(rows, &Difference::missing);
  const std::optional<double> difference = largest();
  return complete && difference && *difference <= tolerance;
}

Result<Agreement> agreement_of(std::string_view first_text, std::string_view second_text) {
  auto first = run_from(first_text, "the first run");
  if (!first) {
    return fail(std::move(first.error()));
  }
  auto second = run_from(second_text, "the second run");
  if (!second) {
    return fail(std::move(second.error()));
  }
  Agreement agreement;
  for (const auto& [name, measured] : *first) {
    const auto other = second->find(name);
    if (other == second->end()) {
      agreement.rows.push_back({.name = name, .first = measured.nanoseconds, .not_comparable = {}, .missing = true});
    } else {
      agreement.rows.push_back(difference_of(name, measured, other->second));
    }
  }
  for (const auto& [name, measured] : *second) {
    if (!first->contains(name)) {
      agreement.rows.push_back({.name = name, .second = measured.nanoseconds, .not_comparable = {}, .missing = true});
    }
  }
  std::ranges::sort(agreement.rows, larger);
  return agreement;
}

std::string table_of(const Agreement& agreement, double tolerance) {
  using harness::Table;
  Table table({{"", Table::Side::left}, {"first"}, {"second"}, {"differ by"}});
  std::size_t compared = 0;
  std::size_t beyond = 0;
  for (const Difference& row : agreement.rows) {
    const bool comparable = !row.missing && row.not_comparable.empty();
    compared += comparable ? 1 : 0;
    beyond += comparable && row.relative() > tolerance ? 1 : 0;
    table.add({row.name, row.first > 0 ? harness::duration_text(row.first) : "–",
               row.second > 0 ? harness::duration_text(row.second) : "–",
               row.missing                   ? "in one run alone"
               : !row.not_comparable.empty() ? row.not_comparable
                                             : fmt::format("{:.1f}%", 100 * row.relative())});
  }
  const std::optional<double> largest = agreement.largest();
  const std::string verdict =
      largest ? fmt::format("{} rows compared, the largest difference is {:.1f}%, {} beyond {:.0f}%", compared,
                            100 * *largest, beyond, 100 * tolerance)
              : "no row can be compared";
  return table.text() + "\n" + verdict +
         (agreement.within(tolerance) ? ": the runs agree\n" : ": the runs do not agree\n");
}

}  // namespace limits
