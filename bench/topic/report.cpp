#include <topic/report.hpp>

#include <harness/table.hpp>
#include <limits/report.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace topics {

using harness::Table;

namespace {

/// Of a processor, for who waits.
constexpr double most_idle = 0.001;

std::string p50_of(const harness::Figure& figure, const MeasuredRow& row) {
  const bool told = row.kind == limits::Kind::round_trip && figure.single.samples > 1;
  return told ? harness::duration_text(figure.single.p50) : "–";
}

std::vector<std::string> cells_of(const MeasuredRow& row) {
  const harness::PairedFigure& figure = row.pair.figure;
  if (!row.pair.not_measured.empty()) {
    return {row.name, row.options, "not measured: " + row.pair.not_measured, "–", "–", "–", "–", "–", "–", "–",
            "–",      "–"};
  }
  return {row.name,
          row.options,
          row.limit,
          harness::duration_text(figure.limit.nanoseconds),
          harness::duration_text(row.nanoseconds()),
          p50_of(figure.limit, row),
          p50_of(figure.subject, row),
          row.kind == limits::Kind::one_way ? harness::rate_text(1e9 / row.nanoseconds()) : "–",
          fmt::format("{:.3f}", row.ratio()),
          fmt::format("{:.3f}–{:.3f}", figure.ratio.low / row.deliveries, figure.ratio.high / row.deliveries),
          row.aim == 0 ? "–" : fmt::format("{}{:.2f}", row.ratio() > row.aim ? "over " : "", row.aim),
          limits::remarks(row.pair.attempts, figure.pairs, figure.limit.blocks_preempted)};
}

std::string table_of(const std::vector<MeasuredRow>& rows, const std::string& subject) {
  constexpr auto left = Table::Side::left;
  Table table({{"", left},
               {"options", left},
               {"limit", left},
               {"its time"},
               {subject},
               {"p50"},
               {"p50"},
               {"rate"},
               {"ratio"},
               {"quartiles"},
               {"at most"},
               {"cores", left}});
  std::string group;
  for (const MeasuredRow& row : rows) {
    if (row.group != group) {
      group = row.group;
      table.add_heading(group);
    }
    table.add(cells_of(row));
  }
  return table.text();
}

std::string table_of(const std::vector<IdleRow>& rows) {
  const auto percent = [](double part) { return fmt::format("{:.3f}%", 100 * part); };
  Table table({{"a subscriber that waits", Table::Side::left}, {"of a core"}, {"bare futex"}, {"at most"}});
  for (const IdleRow& row : rows) {
    table.add({row.name, percent(row.used.subscriber), percent(row.used.bare),
               fmt::format("{}{}", row.used.subscriber > most_idle ? "over " : "", percent(most_idle))});
  }
  return table.text();
}

nlohmann::json json_of(const harness::Figure& figure, const MeasuredRow& row) {
  const bool told = row.kind == limits::Kind::round_trip && figure.single.samples > 1;
  return told ? nlohmann::json(figure.single.p50) : nlohmann::json();
}

nlohmann::json json_of(const MeasuredRow& row) {
  nlohmann::json json = limits::json_of(row.pair);
  json["group"] = row.group;
  json["options"] = row.options;
  json["kind"] = limits::name_of(row.kind);
  json["limit"] = row.limit;
  json["deliveries_per_operation"] = row.deliveries;
  json["ratio_at_most"] = row.aim == 0 ? nlohmann::json() : nlohmann::json(row.aim);
  json["limit_p50_ns"] = json_of(row.pair.figure.limit, row);
  json["subject_p50_ns"] = json_of(row.pair.figure.subject, row);
  return json;
}

}  // namespace

std::string table_of(const Report& report) {
  std::string text = description(report.environment);
  if (!report.rows.empty()) {
    text += fmt::format("\n{}", table_of(report.rows, report.subject));
  }
  if (!report.idle.empty()) {
    text += fmt::format("\n{}", table_of(report.idle));
  }
  return text;
}

std::string json_of(const Report& report) {
  nlohmann::json rows = nlohmann::json::array();
  for (const MeasuredRow& row : report.rows) {
    rows.push_back(json_of(row));
  }
  nlohmann::json idle = nlohmann::json::array();
  for (const IdleRow& row : report.idle) {
    idle.push_back({{"name", row.name},
                    {"seconds", row.seconds},
                    {"of_a_core", row.used.subscriber},
                    {"bare_of_a_core", row.used.bare},
                    {"at_most", most_idle}});
  }
  const nlohmann::json json = {{"environment", limits::json_of(report.environment)}, {"rows", rows}, {"idle", idle}};
  return json.dump(2) + "\n";
}

}  // namespace topics
