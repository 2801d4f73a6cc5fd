#pragma once
/// Rows of text in columns that fit the terminal.
#include <cstddef>
#include <string>
#include <vector>

namespace tenon::cli {

/// The width of standard output in columns, 0 if it is no terminal: then nothing is cut.
std::size_t terminal_width();

/// The columns that `text`, valid UTF-8 without control characters, takes up: one for each character.
std::size_t width_of(const std::string& text);

/// `width` columns of the text, with "…" in the middle if that is not all: paths differ at their ends.
std::string cut(const std::string& text, std::size_t width);

class Columns {
 public:
  explicit Columns(std::vector<std::string> heading) { add(std::move(heading)); }

  /// As many cells as the heading has.
  void add(std::vector<std::string> row);
  /// The heading and all rows, a line each. Where `width` is not enough, the widest columns give way first, and what
  /// was cut has "…" in its middle. 0 is as wide as it takes.
  std::string text(std::size_t width) const;

 private:
  struct Cell {
    std::string text;
    std::size_t width;
  };

  std::vector<std::size_t> widths(std::size_t most) const;

  std::vector<std::vector<Cell>> rows_;
};

/// `text` broken between words into lines of at most `width` columns, each behind `indent` blanks. 0 breaks nowhere.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width);

}  // namespace tenon::cli
