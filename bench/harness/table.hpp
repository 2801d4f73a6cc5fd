#pragma once
/// Rows of text in columns, for people.
#include <cstddef>
#include <string>
#include <vector>

namespace harness {

class Table {
 public:
  enum class Side : unsigned char { left, right };
  struct Column {
    std::string title;
    Side side = Side::right;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns. UTF-8; each character is taken for one column wide.
  void add(std::vector<std::string> cells);
  /// A line over the rows that follow.
  void add_heading(std::string heading);
  bool empty() const noexcept { return rows_.empty(); }
  std::string text() const;

 private:
  struct Row {
    std::string heading;
    std::vector<std::string> cells;
  };
  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// Three significant digits with the unit that fits: "112 ns", "4.31 µs", "174 ms".
std::string duration_text(double nanoseconds);
/// "182 M/s", "60.0 k/s".
std::string rate_text(double per_second);
/// "62.1 GB/s".
std::string bandwidth_text(double bytes_per_second);
/// "8 B", "64 KiB", "4 MiB": whole numbers only.
std::string size_text(std::size_t bytes);

}  // namespace harness
