#include <limits/report.hpp>

#include <harness/table.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace limits {

using harness::Table;

namespace {

std::string nothing_if_zero(double value, const std::string& text) { return value > 0 ? text : "–"; }

std::vector<std::string> cells_of(const Row& row) {
  const harness::Figure& figure = row.figure;
  if (!row.not_measured.empty()) {
    std::vector<std::string> cells(12, "–");
    cells.front() = row.name;
    cells.back() = "not measured: " + row.not_measured;
    return cells;
  }
  // Of fewer samples, a percentile would be the maximum by another name.
  const auto percentile = [&](double value, std::size_t least_samples) {
    return figure.single.samples >= least_samples ? harness::duration_text(value) : "–";
  };
  const double per_second = 1e9 / figure.nanoseconds;
  const double bytes = static_cast<double>(row.payload_bytes);
  return {row.name,
          harness::duration_text(figure.nanoseconds),
          fmt::format("±{:.1f}%", 50 * figure.blocks.relative()),
          row.kind == Kind::one_way ? harness::rate_text(per_second) : "–",
          row.kind == Kind::round_trip ? "–" : nothing_if_zero(bytes, harness::bandwidth_text(bytes * per_second)),
          percentile(figure.single.p50, 2),
          percentile(figure.single.p90, 10),
          percentile(figure.single.p99, 100),
          percentile(figure.single.p999, 1000),
          percentile(figure.single.max, 1),
          figure.switches < 0.01 ? "–" : fmt::format("{:.2f}", figure.switches),
          remarks(row.attempts, figure.blocks_kept, figure.blocks_preempted)};
}

std::string table_of_pairs(const std::vector<PairRow>& pairs) {
  Table table({{"in pairs of blocks", Table::Side::left},
               {"limit"},
               {"subject"},
               {"ratio"},
               {"quartiles"},
               {"pairs"},
               {"cores", Table::Side::left}});
  for (const PairRow& row : pairs) {
    if (!row.not_measured.empty()) {
      table.add({row.name, "–", "–", "–", "–", "–", "not measured: " + row.not_measured});
      continue;
    }
    const harness::PairedFigure& figure = row.figure;
    table.add({row.name, harness::duration_text(figure.limit.nanoseconds),
               harness::duration_text(figure.subject.nanoseconds), fmt::format("{:.3f}", figure.ratio.median),
               fmt::format("{:.3f}–{:.3f}", figure.ratio.low, figure.ratio.high), std::to_string(figure.pairs),
               remarks(row.attempts, figure.pairs, figure.limit.blocks_preempted)});
  }
  return table.text();
}

nlohmann::json json_of(const harness::Attempts& attempts) {
  return {{"before_ns", attempts.before},
          {"after_ns", attempts.after},
          {"distance", harness::name_of(harness::distance_of(attempts.after))},
          {"attempts", attempts.made},
          {"disturbed", attempts.disturbed}};
}

nlohmann::json json_of(const harness::Spread& spread) {
  return {{"median", spread.median}, {"low_quartile", spread.low}, {"high_quartile", spread.high}};
}

nlohmann::json json_of(const harness::Percentiles& single) {
  if (single.samples == 0) {
    return nullptr;
  }
  return {{"p50", single.p50},    {"p90", single.p90}, {"p99", single.p99},
          {"p99.9", single.p999}, {"max", single.max}, {"samples", single.samples}};
}

template <class Rows>
nlohmann::json array_of(const Rows& rows) {
  nlohmann::json array = nlohmann::json::array();
  std::ranges::transform(rows, std::back_inserter(array), [](const auto& row) { return json_of(row); });
  return array;
}

}  // namespace

nlohmann::json json_of(const Row& row) {
  nlohmann::json json = {{"name", row.name},
                         {"family", row.family},
                         {"where", name_of(row.where)},
                         {"kind", name_of(row.kind)},
                         {"payload_bytes", row.payload_bytes}};
  if (!row.not_measured.empty()) {
    json["not_measured"] = row.not_measured;
    return json;
  }
  const harness::Figure& figure = row.figure;
  json["ns_per_operation"] = figure.nanoseconds;
  json["operations_per_second"] = 1e9 / figure.nanoseconds;
  json["blocks_ns"] = json_of(figure.blocks);
  json["blocks"] = figure.blocks_kept;
  json["blocks_preempted"] = figure.blocks_preempted;
  json["operations_per_block"] = figure.operations_per_block;
  json["single_operations_ns"] = json_of(figure.single);
  json["context_switches_per_operation"] = figure.switches;
  json["system_calls_per_operation"] = figure.system_calls ? nlohmann::json(*figure.system_calls) : nlohmann::json();
  json["probe"] = json_of(row.attempts);
  return json;
}

std::string table_of(const std::vector<Row>& rows) {
  Table table({{"", Table::Side::left},
               {"an operation"},
               {"blocks"},
               {"rate"},
               {"bandwidth"},
               {"p50"},
               {"p90"},
               {"p99"},
               {"p99.9"},
               {"max"},
               {"switches"},
               {"cores", Table::Side::left}});
  std::string family;
  for (const Row& row : rows) {
    if (row.family != family) {
      family = row.family;
      table.add_heading(family);
    }
    table.add(cells_of(row));
  }
  return table.text();
}

std::string remarks(const harness::Attempts& attempts, int kept, int preempted) {
  std::string text = fmt::format("{}", harness::name_of(harness::distance_of(attempts.after)));
  if (attempts.disturbed) {
    text += fmt::format(", disturbed {} times: {:.0f} to {:.0f} ns", attempts.made, attempts.before, attempts.after);
  } else if (attempts.made > 1) {
    text += fmt::format(", {} attempts", attempts.made);
  }
  if (preempted > kept / 2) {
    text += fmt::format(", busy: {} blocks preempted", preempted);
  }
  return text;
}

nlohmann::json json_of(const PairRow& row) {
  nlohmann::json json = {{"name", row.name}};
  if (!row.not_measured.empty()) {
    json["not_measured"] = row.not_measured;
    return json;
  }
  json["limit_ns"] = row.figure.limit.nanoseconds;
  json["subject_ns"] = row.figure.subject.nanoseconds;
  json["ratio"] = json_of(row.figure.ratio);
  json["pairs"] = row.figure.pairs;
  json["probe"] = json_of(row.attempts);
  return json;
}

nlohmann::json json_of(const harness::Environment& here) {
  return {{"processor", here.processor},       {"processors", here.processors},
          {"machine", here.machine},           {"kernel", here.kernel},
          {"compiler", here.compiler},         {"governor", here.governor},
          {"system_calls", here.system_calls}, {"clock", here.clock},
          {"clock_cost_ns", here.clock_cost},  {"load", here.load}};
}

std::string table_of(const Report& report) {
  std::string text = description(report.environment);
  if (!report.rows.empty()) {
    text += fmt::format("\n{}", table_of(report.rows));
  }
  if (!report.pairs.empty()) {
    text += fmt::format("\n{}", table_of_pairs(report.pairs));
  }
  return text;
}

std::string json_of(const Report& report) {
  const nlohmann::json json = {{"environment", json_of(report.environment)},
                               {"extent", report.extent == Extent::quick ? "quick" : "full"},
                               {"limits", array_of(report.rows)},
                               {"pairs", array_of(report.pairs)}};
  return json.dump(2) + "\n";
}

}  // namespace limits
