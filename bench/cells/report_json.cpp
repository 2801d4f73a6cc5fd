#include <cells/report.hpp>

#include <cells/limit_of.hpp>
#include <limits/report.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <harness/table.hpp>
#include <map>
#include <nlohmann/json.hpp>

namespace cells {

using nlohmann::json;
using tenon::Result;

namespace {

json json_of(const Interval& interval) {
  return {
      {"median", interval.median}, {"low", interval.low}, {"high", interval.high}, {"confidence", interval.confidence}};
}

json or_null(const std::optional<Interval>& interval) { return interval ? json_of(*interval) : json(); }

Interval interval_from(const json& told) {
  return {
      .median = told.at("median"), .low = told.at("low"), .high = told.at("high"), .confidence = told.at("confidence")};
}

// In most of the repeats.
std::string distance_of(const Row& row) {
  std::map<std::string_view, int> seen;
  for (const Sample& sample : row.samples) {
    ++seen[harness::name_of(harness::distance_of(sample.attempts.after))];
  }
  return std::string(std::ranges::max_element(seen, {}, [](const auto& one) { return one.second; })->first);
}

std::string name_of(const Row& row) {
  const Cell& cell = row.cell;
  std::string name = fmt::format("{}, {}, {}, {}, {}", row.mechanism->name, name_of(cell.pattern),
                                 harness::size_text(cell.bytes), name_of(cell.wait), name_of(cell.place));
  if (cell.peers > 1 || cell.pattern == Pattern::queued || cell.pattern == Pattern::backlog) {
    name += fmt::format(", {} others", cell.peers);
  }
  return cell.depth > 0 ? name + fmt::format(", depth {}", cell.depth) : name;
}

json percentiles_of(const Row& row) {
  if (!row.has_percentiles()) {
    return nullptr;
  }
  const auto over = [&](double harness::Percentiles::* which) {
    return json_of(row.over([=](const Sample& sample) { return sample.figure.subject.single.*which; }));
  };
  return {{"p50", over(&harness::Percentiles::p50)},
          {"p90", over(&harness::Percentiles::p90)},
          {"p99", over(&harness::Percentiles::p99)},
          {"p99.9", over(&harness::Percentiles::p999)},
          {"max", row.longest()},
          {"samples", row.samples.front().figure.subject.single.samples}};
}

json repeats_of(const Row& row) {
  json repeats = json::array();
  for (const Sample& sample : row.samples) {
    repeats.push_back({{"ns_per_operation", sample.figure.subject.nanoseconds},
                       {"operations", sample.figure.subject.operations},
                       {"switches_per_operation", row.switches() ? json(sample.figure.subject.switches) : json()},
                       {"limit_ns", sample.figure.limit.nanoseconds},
                       {"limit_operations", sample.figure.limit.operations},
                       {"limit_switches_per_operation", sample.figure.limit.switches},
                       {"ratio", sample.figure.ratio.median / messages_of(row.cell)},
                       {"probe_before_ns", sample.attempts.before},
                       {"probe_after_ns", sample.attempts.after},
                       {"disturbed", sample.attempts.disturbed}});
  }
  return repeats;
}

json json_of(const Row& row) {
  const Cell& cell = row.cell;
  json told = {{"name", name_of(row)},
               {"mechanism", row.mechanism->name},
               {"family", row.mechanism->family},
               {"pattern", name_of(cell.pattern)},
               {"bytes", cell.bytes},
               {"wait", name_of(cell.wait)},
               {"place", name_of(cell.place)},
               {"peers", cell.peers},
               {"depth", cell.depth > 0 ? json(cell.depth) : json()},
               {"memory_bytes", row.memory ? json(*row.memory) : json()}};
  if (!row.not_measured.empty()) {
    told["not_measured"] = row.not_measured;
    return told;
  }
  const Interval time = row.nanoseconds();
  told["limit"] = row.limit;
  told["limit_ns"] = json_of(row.over([](const Sample& one) { return one.figure.limit.nanoseconds; }));
  told["ns"] = json_of(time);
  told["ratio"] = json_of(row.ratio());
  told["messages_per_second"] = 1e9 / time.median;
  told["bytes_per_second"] = 1e9 / time.median * static_cast<double>(cell.bytes);
  told["single_operations_ns"] = percentiles_of(row);
  told["processor_ns"] = or_null(row.processor());
  told["context_switches"] = or_null(row.switches());
  told["system_calls"] = or_null(row.system_calls());
  told["distance"] = distance_of(row);
  told["repeats"] = repeats_of(row);
  return told;
}

}  // namespace

std::string json_of(const Report& report) {
  json limits = json::array();
  for (const limits::Row& row : report.limits) {
    limits.push_back(limits::json_of(row));
  }
  json rows = json::array();
  for (const Row& row : report.rows) {
    rows.push_back(json_of(row));
  }
  const json all = {{"environment", limits::json_of(report.environment)},
                    {"places", report.places},
                    {"extent", report.effort.extent == limits::Extent::quick ? "quick" : "full"},
                    {"repeats", report.effort.repeats},
                    {"self_test",
                     {{"clock_ns", report.self_test.clock_nanoseconds},
                      {"beside_itself", json_of(report.self_test.beside_itself)},
                      {"looks", report.self_test.looks},
                      {"refusal", report.self_test.refusal}}},
                    {"limits", std::move(limits)},
                    {"rows", std::move(rows)}};
  return all.dump(1) + "\n";
}

std::vector<Told> told(const Report& report) {
  std::vector<Told> all;
  for (const Row& row : report.rows) {
    if (row.not_measured.empty()) {
      all.push_back({.name = name_of(row),
                     .distance = distance_of(row),
                     .limit = row.limit,
                     .nanoseconds = row.nanoseconds(),
                     .ratio = row.ratio()});
    }
  }
  return all;
}

Result<std::vector<Told>> told(const std::string& text) try {
  std::vector<Told> all;
  const json run = json::parse(text);
  for (const json& row : run.at("rows")) {
    if (!row.contains("not_measured")) {
      all.push_back({.name = row.at("name"),
                     .distance = row.at("distance"),
                     .limit = row.at("limit"),
                     .nanoseconds = interval_from(row.at("ns")),
                     .ratio = interval_from(row.at("ratio"))});
    }
  }
  return all;
} catch (const json::exception& error) {
  return tenon::fail(tenon::Error(tenon::Errc::corrupt).because(error.what()));
}

}  // namespace cells
