#include <harness/table.hpp>

#include <tenon/base/contract.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace harness {

namespace {

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string three_digits(double value) {
  return value < 9.995   ? fmt::format("{:.2f}", value)
         : value < 99.95 ? fmt::format("{:.1f}", value)
                         : fmt::format("{:.0f}", value);
}

template <std::size_t count>
std::string scaled(double value, const std::array<const char*, count>& units) {
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < count) {
    value /= 1000;
    ++unit;
  }
  return three_digits(value) + " " + units[unit];
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  tenon::expects(cells.size() == columns_.size(), "a row has a cell for each column");
  rows_.push_back({.heading = {}, .cells = std::move(cells)});
}

void Table::add_heading(std::string heading) { rows_.push_back({.heading = std::move(heading), .cells = {}}); }

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - characters(cells[i]), ' ');
    line += i == 0 ? "" : "  ";
    line += columns_[i].side == Side::left ? cells[i] + blanks : blanks + cells[i];
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string Table::text() const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(characters(column.title));
  }
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], characters(row.cells[i]));
    }
  }
  std::string text = line(titles, widths);
  for (const Row& row : rows_) {
    text += row.cells.empty() ? "\n" + row.heading + "\n" : line(row.cells, widths);
  }
  return text;
}

std::string duration_text(double nanoseconds) { return scaled(nanoseconds, std::array{"ns", "µs", "ms", "s"}); }

std::string rate_text(double per_second) { return scaled(per_second, std::array{"/s", "k/s", "M/s", "G/s"}); }

std::string bandwidth_text(double bytes_per_second) {
  return scaled(bytes_per_second, std::array{"B/s", "kB/s", "MB/s", "GB/s"});
}

std::string size_text(std::size_t bytes) {
  constexpr std::size_t kib = 1024;
  return bytes % (kib * kib) == 0 ? fmt::format("{} MiB", bytes / (kib * kib))
         : bytes % kib == 0       ? fmt::format("{} KiB", bytes / kib)
                                  : fmt::format("{} B", bytes);
}

}  // namespace harness
