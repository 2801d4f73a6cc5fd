#pragma once
/// What `tenon top` shows at a moment, and what its keys do to that. Knows no terminal.
#include <cli/top/top_rows.hpp>
#include <cli/top/top_screen.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::cli {

/// What a key asks for that the view cannot do by itself.
enum class TopWish : std::uint8_t { nothing, quit, show, why };

class TopView {
 public:
  TopView(double interval, std::vector<inspect::Kind> kinds)
      : interval_(interval), choice_{.kinds = std::move(kinds)} {}

  /// A new look, `seconds` after the one before.
  void take(inspect::Snapshot now, double seconds);
  TopWish press(const Pressed& pressed, std::size_t rows);
  /// A text in place of the lists, until a key is pressed that leaves it.
  void show_text(const std::string& text);

  /// So many lines, of so many columns at most; `selected` is the number of the one that is chosen.
  struct Frame {
    std::vector<std::string> lines;
    std::optional<std::size_t> selected;
  };
  Frame frame(std::size_t rows, std::size_t columns);

  const inspect::Snapshot& snapshot() const noexcept { return now_; }
  std::optional<std::size_t> chosen_object() const;
  std::optional<pid_t> chosen_process() const;
  std::string status = {};  ///< in place of the line of keys, once

 private:
  enum class Pane : std::uint8_t { objects, processes, text };

  void sort();
  std::size_t count() const noexcept;
  void move(std::ptrdiff_t by);
  void follow();
  void remember();
  TopWish press_letter(char letter);
  void edit_filter(const Pressed& pressed);
  std::string last_line(std::size_t columns);
  std::vector<std::string> body(std::size_t rows, std::size_t columns);

  double interval_;
  TopChoice choice_;
  inspect::Snapshot now_;
  inspect::Snapshot before_;
  double seconds_ = 0;
  std::vector<TopObject> objects_;
  std::vector<TopProcess> processes_;
  std::string text_;
  std::vector<std::string> text_lines_;  // as wide as the screen was last
  Pane pane_ = Pane::objects;
  Pane below_ = Pane::objects;  // what the text lies on
  bool editing_ = false;
  std::size_t place_ = 0;  // chosen, or the first line of a text
  // What was chosen by a key, and is kept wherever it moves to. Nothing: the first line, whatever stands there.
  std::optional<ObjectKey> object_;
  std::optional<pid_t> process_;
  std::size_t first_ = 0;  // shown
};

}  // namespace tenon::cli
