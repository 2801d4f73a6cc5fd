#include <cli/top/top_screen.hpp>

#include <tenon/os/poll.hpp>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#define NCURSES_NOMACROS  // they would take names like erase and move away
#include <ncurses.h>
#include <unistd.h>
#include <utility>

namespace tenon::cli {

namespace {

// SIGWINCH ends no wait of ours: a new size is seen with the next look.
constexpr std::chrono::milliseconds between_looks{200};
constexpr int escape_delay = 25;  // ms; what a terminal sends for one key comes at once

Error no_terminal(const char* which) {
  return Error(Errc::not_supported).on(which).because("it is no terminal; --once prints one picture as text");
}

Pressed meaning_of(int code) {
  switch (code) {
    case KEY_UP:
      return {.key = Key::up};
    case KEY_DOWN:
      return {.key = Key::down};
    case KEY_PPAGE:
      return {.key = Key::page_up};
    case KEY_NPAGE:
      return {.key = Key::page_down};
    case KEY_HOME:
      return {.key = Key::home};
    case KEY_END:
      return {.key = Key::end};
    case KEY_ENTER:
    case '\r':
    case '\n':
      return {.key = Key::enter};
    case KEY_BACKSPACE:
    case 127:
    case '\b':
      return {.key = Key::erase};
    case 27:
      return {.key = Key::escape};
    case KEY_RESIZE:
      return {.key = Key::resized};
    default:
      return {.key = Key::letter, .letter = code > 31 && code < 127 ? static_cast<char>(code) : '\0'};
  }
}

// Names may hold any character; a terminal of a plain locale gets UTF-8 all the same, as from every command here.
void choose_locale() {
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
}

}  // namespace

Result<TopScreen> TopScreen::open() {
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(no_terminal("standard input"));
  }
  if (::isatty(STDOUT_FILENO) == 0) {
    return fail(no_terminal("standard output"));
  }
  choose_locale();
  screen* const terminal = ::newterm(nullptr, stdout, stdin);
  if (terminal == nullptr) {
    const char* const kind = std::getenv("TERM");
    return fail(Error(Errc::not_supported)
                    .on(kind == nullptr ? "TERM" : kind)
                    .because("nothing is known of such a terminal; set TERM, or print one picture with --once"));
  }
  ::set_escdelay(escape_delay);
  ::cbreak();
  ::noecho();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  return TopScreen(terminal);
}

TopScreen::TopScreen(TopScreen&& other) noexcept : terminal_(std::exchange(other.terminal_, nullptr)) {}

TopScreen::~TopScreen() {
  if (terminal_ != nullptr) {
    ::endwin();
    ::delscreen(terminal_);
  }
}

std::size_t TopScreen::rows() const noexcept { return static_cast<std::size_t>(std::max(getmaxy(stdscr), 1)); }
std::size_t TopScreen::columns() const noexcept { return static_cast<std::size_t>(std::max(getmaxx(stdscr), 1)); }

void TopScreen::show(std::span<const std::string> lines, std::optional<std::size_t> reversed) {
  ::erase();
  for (std::size_t i = 0; i < std::min(lines.size(), rows()); ++i) {
    if (reversed == i) {
      ::attron(A_REVERSE);
    }
    ::mvaddstr(static_cast<int>(i), 0, lines[i].c_str());
    ::attroff(A_REVERSE);
  }
  ::refresh();
}

Result<Pressed> TopScreen::key(Deadline deadline) {
  while (true) {
    if (const int code = ::getch(); code != ERR) {
      return meaning_of(code);
    }
    const bool last = deadline.passed();
    const auto ready =
        wait_ready(FdView(STDIN_FILENO), Ready::reading, last ? deadline : deadline.or_sooner(after(between_looks)));
    if (ready && has(*ready, Ready::hang_up | Ready::error)) {
      return fail(Errc::closed);
    }
    if (!ready && (last || !ready.failed_with(Errc::timed_out))) {
      return fail(Error(ready.error()));
    }
  }
}

}  // namespace tenon::cli
