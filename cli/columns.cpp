#include <cli/columns.hpp>

#include <algorithm>
#include <numeric>
#include <sstream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 6;

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

// Where the character number `count` begins.
std::size_t place_of(const std::string& text, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t begun = 0; at < text.size(); ++at) {
    begun += continues_character(text[at]) ? 0 : 1;
    if (begun > count) {
      break;
    }
  }
  return at;
}

}  // namespace

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::size_t width_of(const std::string& text) {
  std::size_t width = 0;
  for (const char byte : text) {
    width += continues_character(byte) ? 0 : 1;
  }
  return width;
}

std::string cut(const std::string& text, std::size_t width) {
  const std::size_t whole = width_of(text);
  if (whole <= width) {
    return text;
  }
  const std::size_t tail = (width - 1) / 2;
  const std::size_t head = width - 1 - tail;
  return text.substr(0, place_of(text, head)) + "…" + text.substr(place_of(text, whole - tail));
}

void Columns::add(std::vector<std::string> row) {
  std::vector<Cell> cells;
  cells.reserve(row.size());
  for (std::string& text : row) {
    const std::size_t width = width_of(text);
    cells.push_back({.text = std::move(text), .width = width});
  }
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Columns::widths(std::size_t most) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].width);
    }
  }
  auto total = [&] { return std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * gap); };
  auto widest = std::ranges::max_element(widths);
  while (most != 0 && total() > most && *widest > narrowest) {
    --*widest;
    widest = std::ranges::max_element(widths);
  }
  return widths;
}

std::string Columns::text(std::size_t width) const {
  const auto columns = widths(width);
  std::string all;
  for (const auto& row : rows_) {
    std::size_t blanks = 0;  // those that are owed to what follows
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool whole = row[i].width <= columns[i];
      if (row[i].width > 0) {
        all.append(blanks, ' ').append(whole ? row[i].text : cut(row[i].text, columns[i]));
        blanks = 0;
      }
      blanks += columns[i] - std::min(row[i].width, columns[i]) + gap;
    }
    while (all.ends_with(' ')) {
      all.pop_back();
    }
    all += '\n';
  }
  return all;
}

std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string all;
  std::string line;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool full = width != 0 && !line.empty() && indent + width_of(line) + 1 + width_of(word) > width;
    if (full) {
      all += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return all + std::string(indent, ' ') + line + "\n";
}

}  // namespace tenon::cli
