#include <cells/report.hpp>

#include <cells/limit_of.hpp>
#include <harness/table.hpp>
#include <limits/report.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace cells {

namespace {

using harness::Table;

std::string counted(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string heading_of(const Cell& cell) {
  const std::string size = harness::size_text(cell.bytes);
  const auto with = [&](const std::string& what) {
    return fmt::format("{}, {}, {}{}", what, name_of(cell.wait),
                       cell.is_fan() ? "over all cores" : std::string(name_of(cell.place)),
                       cell.depth > 0 ? ", depth " + std::to_string(cell.depth) : "");
  };
  switch (cell.pattern) {
    case Pattern::round_trip:
      return with(size + " there and back");
    case Pattern::one_way:
      return with(size + " one way");
    case Pattern::fan_out:
      return with(size + " to " + counted(cell.peers, "receiver", "receivers"));
    case Pattern::fan_in:
      return with(size + " from " + counted(cell.peers, "sender", "senders"));
    case Pattern::first_message:
      return size + ", from nothing to the first message, by one process";
    case Pattern::queued:
      return with(size + " behind " + counted(cell.peers, "message", "messages"));
    case Pattern::backlog:
      return with(size + ", urgent, behind " + counted(cell.peers, "message", "messages"));
  }
  return size;
}

// As long as the logarithm of the ratio: three cells for each tenfold.
std::string bar_of(double ratio) {
  constexpr std::array<const char*, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int filled = std::clamp(static_cast<int>(std::lround(24 * std::log10(std::max(ratio, 1.0)))), 1, 96);
  std::string bar;
  for (int i = 0; i < filled / 8; ++i) {
    bar += "█";
  }
  return bar + eighths.at(static_cast<std::size_t>(filled % 8));
}

std::string small(double value) { return value < 0.005 ? "–" : fmt::format("{:.2f}", value); }

// Of fewer samples a percentile would be the maximum by another name.
std::string percentile(const Row& row, double harness::Percentiles::* which, std::size_t least) {
  const auto one = [&](const Sample& sample) { return sample.figure.subject.single.*which; };
  const bool enough = row.has_percentiles() && row.samples.front().figure.subject.single.samples >= least;
  return enough ? harness::duration_text(row.over(one).median) : "–";
}

std::string or_dash(const std::optional<Interval>& interval, std::string (*text)(double)) {
  return interval ? text(interval->median) : "–";
}

std::string memory_text(std::size_t bytes) {
  return bytes < 10'000 ? fmt::format("{} B", bytes) : fmt::format("{:.0f} KiB", static_cast<double>(bytes) / 1024);
}

std::vector<std::string> cells_of(const Row& row) {
  if (!row.not_measured.empty()) {
    std::vector<std::string> cells(14, "–");
    cells.front() = row.mechanism->name;
    cells.back() = "not measured: " + row.not_measured;
    return cells;
  }
  const Interval time = row.nanoseconds();
  const Interval ratio = row.ratio();
  const double bytes = static_cast<double>(row.cell.bytes);
  const bool is_rate = row.cell.pattern == Pattern::one_way || row.cell.is_fan();
  return {row.mechanism->name,
          percentile(row, &harness::Percentiles::p50, 2),
          percentile(row, &harness::Percentiles::p90, 10),
          percentile(row, &harness::Percentiles::p99, 100),
          percentile(row, &harness::Percentiles::p999, 1000),
          row.has_percentiles() ? harness::duration_text(row.longest()) : "–",
          harness::duration_text(time.median),
          fmt::format("±{:.0f}%", 100 * time.relative()),
          is_rate ? harness::rate_text(1e9 / time.median) : "–",
          is_rate ? harness::bandwidth_text(bytes * 1e9 / time.median) : "–",
          or_dash(row.processor(), harness::duration_text),
          or_dash(row.switches(), small) + " / " + or_dash(row.system_calls(), small),
          ratio.median < 10 ? fmt::format("{:.2f}", ratio.median) : fmt::format("{:.0f}", ratio.median),
          bar_of(ratio.median) + (row.memory ? "  holds " + memory_text(*row.memory) : "")};
}

Table new_table() {
  return Table({{"", Table::Side::left},
                {"p50"},
                {"p90"},
                {"p99"},
                {"p99.9"},
                {"max"},
                {"an operation"},
                {"sure"},
                {"messages"},
                {"bytes"},
                {"processor"},
                {"switches / calls"},
                {"× limit"},
                {"", Table::Side::left}});
}

std::string limit_line(const Row& row) {
  if (row.samples.empty()) {
    return "";
  }
  const Interval limit = row.over([](const Sample& sample) { return sample.figure.limit.nanoseconds; });
  return fmt::format("; limit: {}, {}", row.limit, harness::duration_text(limit.median));
}

}  // namespace

std::string table_of(const Report& report) {
  std::string text = description(report.environment);
  text += fmt::format("places        {}\n", report.places);
  text += fmt::format(
      "self-test     a line beside itself {:.2f} ({:.2f}–{:.2f}); {} repeats, in an order drawn anew for each\n",
      report.self_test.beside_itself.median, report.self_test.beside_itself.low, report.self_test.beside_itself.high,
      report.effort.repeats);
  if (!report.self_test.refusal.empty()) {
    text += "NOT TO BE BELIEVED: " + report.self_test.refusal + "\n";
  }
  if (!report.limits.empty()) {
    text += "\nWhat this machine can do\n\n" + limits::table_of(report.limits);
  }
  if (report.rows.empty()) {
    return text;
  }
  Table table = new_table();
  std::string last;
  for (const Row& row : report.rows) {
    if (const std::string heading = heading_of(row.cell); heading != last) {
      last = heading;
      table.add_heading(heading + limit_line(row));
    }
    table.add(cells_of(row));
  }
  return text + "\n" + table.text();
}

}  // namespace cells
