#pragma once
/// The terminal as `tenon top` has it, given back as it was. ncurses(3)
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

struct screen;

namespace tenon::cli {

enum class Key : std::uint8_t { up, down, page_up, page_down, home, end, enter, erase, escape, resized, letter };

struct Pressed {
  Key key;
  char letter = 0;
};

class TopScreen {
 public:
  /// Failures: not_supported (standard input or output is no terminal, or one that nobody knows).
  static Result<TopScreen> open();
  /// Gives the terminal back.
  ~TopScreen();
  TopScreen(TopScreen&& other) noexcept;
  TopScreen& operator=(TopScreen&&) = delete;

  std::size_t rows() const noexcept;
  std::size_t columns() const noexcept;

  /// Shows these lines from the top on, the one of that number reversed, and nothing below them. What has not changed
  /// is not sent.
  void show(std::span<const std::string> lines, std::optional<std::size_t> reversed);

  /// Waits for a key. Outcomes: timed_out, stopped, closed (the terminal is gone).
  Result<Pressed> key(Deadline deadline);

 private:
  explicit TopScreen(screen* terminal) noexcept : terminal_(terminal) {}

  screen* terminal_;
};

}  // namespace tenon::cli
