#include <cli/top/top_view.hpp>

#include <tenon/base/name.hpp>

#include <cli/columns.hpp>
#include <cli/top/top_frame.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace tenon::cli {

namespace {

constexpr std::size_t around = 3;  // the title, the heading, and the keys
constexpr std::size_t page = 10;

// Lines of that width. What fits stays as it is, blanks and all; a sentence goes on below, as far in as it began.
std::vector<std::string> fitted(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    std::istringstream parts(width_of(line) <= columns ? line : wrapped(line, indent, columns));
    for (std::string part; std::getline(parts, part);) {
      lines.push_back(part);
    }
  }
  return lines;
}

}  // namespace

void TopView::take(inspect::Snapshot now, double seconds) {
  before_ = std::exchange(now_, std::move(now));
  seconds_ = seconds;
  sort();
}

void TopView::sort() {
  objects_ = top_objects(now_, before_, seconds_, choice_);
  processes_ = top_processes(now_, choice_);
  follow();
}

std::size_t TopView::count() const noexcept {
  return pane_ == Pane::text ? text_lines_.size() : pane_ == Pane::objects ? objects_.size() : processes_.size();
}

// What has gone leaves its place to its neighbour.
void TopView::follow() {
  const auto object = std::ranges::find_if(objects_, [&](const TopObject& row) {
    return pane_ == Pane::objects && object_ && key_of(now_.objects[row.object]) == *object_;
  });
  const auto process = std::ranges::find_if(
      processes_, [&](const TopProcess& row) { return pane_ == Pane::processes && row.pid == process_; });
  if (object != objects_.end()) {
    place_ = static_cast<std::size_t>(object - objects_.begin());
  } else if (process != processes_.end()) {
    place_ = static_cast<std::size_t>(process - processes_.begin());
  }
  place_ = std::min(place_, count() == 0 ? 0 : count() - 1);
}

void TopView::remember() {
  if (pane_ == Pane::objects) {
    const auto object = place_ == 0 ? std::nullopt : chosen_object();
    object_ = object ? std::optional(key_of(now_.objects[*object])) : std::nullopt;
  } else if (pane_ == Pane::processes) {
    process_ = place_ == 0 ? std::nullopt : chosen_process();
  }
}

void TopView::move(std::ptrdiff_t by) {
  const auto last = static_cast<std::ptrdiff_t>(count()) - 1;
  place_ = static_cast<std::size_t>(
      std::clamp(static_cast<std::ptrdiff_t>(place_) + by, std::ptrdiff_t{0}, std::max(last, std::ptrdiff_t{0})));
  remember();
}

std::optional<std::size_t> TopView::chosen_object() const {
  return pane_ == Pane::objects && place_ < objects_.size() ? std::optional(objects_[place_].object) : std::nullopt;
}

std::optional<pid_t> TopView::chosen_process() const {
  return pane_ == Pane::processes && place_ < processes_.size() ? std::optional(processes_[place_].pid) : std::nullopt;
}

void TopView::show_text(const std::string& text) {
  text_ = text;
  below_ = pane_ == Pane::text ? below_ : pane_;
  pane_ = Pane::text;
  place_ = 0;
  first_ = 0;
}

void TopView::edit_filter(const Pressed& pressed) {
  if (pressed.key == Key::letter && pressed.letter != '\0') {
    choice_.filter += pressed.letter;
  } else if (pressed.key == Key::erase && !choice_.filter.empty()) {
    choice_.filter.pop_back();
  } else if (pressed.key == Key::enter || pressed.key == Key::escape) {
    choice_.filter = pressed.key == Key::escape ? "" : choice_.filter;
    editing_ = false;
  }
  sort();
}

TopWish TopView::press_letter(char letter) {
  switch (letter) {
    case 'q':
      return TopWish::quit;
    case 's':
      return TopWish::show;
    case 'w':
      return TopWish::why;
    case 'p':
      pane_ = pane_ == Pane::objects ? Pane::processes : Pane::objects;
      place_ = 0;
      follow();
      return TopWish::nothing;
    case '/':
      editing_ = true;
      return TopWish::nothing;
    case 'j':
      move(1);
      return TopWish::nothing;
    case 'k':
      move(-1);
      return TopWish::nothing;
    default:
      break;
  }
  for (const auto& [key, order] : {std::pair('T', TopOrder::traffic), std::pair('D', TopOrder::depth),
                                   std::pair('W', TopOrder::waiters), std::pair('N', TopOrder::name)}) {
    if (letter == key) {
      choice_.order = order;
      sort();
    }
  }
  return TopWish::nothing;
}

TopWish TopView::press(const Pressed& pressed, std::size_t rows) {
  const auto page_of_screen = static_cast<std::ptrdiff_t>(rows > around + 1 ? rows - around - 1 : page);
  if (editing_ && pressed.key != Key::resized) {
    edit_filter(pressed);
    return TopWish::nothing;
  }
  const bool leaves = pressed.key == Key::escape || pressed.key == Key::enter || pressed.letter == 'q';
  if (pane_ == Pane::text && leaves) {
    pane_ = below_;
    place_ = 0;
    follow();
    return TopWish::nothing;
  }
  switch (pressed.key) {
    case Key::up:
      move(-1);
      break;
    case Key::down:
      move(1);
      break;
    case Key::page_up:
      move(-page_of_screen);
      break;
    case Key::page_down:
      move(page_of_screen);
      break;
    case Key::home:
      place_ = 0;
      remember();
      break;
    case Key::end:
      move(static_cast<std::ptrdiff_t>(count()));
      break;
    case Key::enter:
      return TopWish::show;
    case Key::letter:
      return press_letter(pressed.letter);
    default:
      break;
  }
  return TopWish::nothing;
}

std::string TopView::last_line(std::size_t columns) {
  if (!status.empty()) {
    return cut(std::exchange(status, ""), columns);
  }
  if (editing_) {
    return cut("filter: " + escaped(choice_.filter) + "_", columns);
  }
  return cut(pane_ == Pane::text
                 ? "q back  up/down scroll"
                 : "q quit  s show  w why  p " + std::string(pane_ == Pane::objects ? "processes" : "objects") +
                       "  T traffic D depth W wait N name  / filter",
             columns);
}

// The chosen line stays in sight.
std::vector<std::string> TopView::body(std::size_t rows, std::size_t columns) {
  if (place_ < first_) {
    first_ = place_;
  }
  if (place_ >= first_ + rows) {
    first_ = place_ - rows + 1;
  }
  if (pane_ == Pane::text) {
    text_lines_ = fitted(text_, columns);
    place_ = std::min(place_, text_lines_.empty() ? 0 : text_lines_.size() - 1);
  }
  std::vector<std::string> lines;
  for (std::size_t i = first_; i < std::min(count(), first_ + rows); ++i) {
    lines.push_back(pane_ == Pane::text      ? cut(text_lines_[i], columns)
                    : pane_ == Pane::objects ? line_of(objects_[i], columns)
                                             : line_of(processes_[i], columns));
  }
  return lines;
}

TopView::Frame TopView::frame(std::size_t rows, std::size_t columns) {
  Frame frame{
      .lines = {cut(title_of({.objects = objects_.size(), .processes = processes_.size(), .unseen = now_.unseen.size()},
                             interval_, choice_),
                    columns)},
      .selected = std::nullopt};
  frame.lines.push_back(pane_ == Pane::text      ? ""
                        : pane_ == Pane::objects ? heading_of_objects(columns)
                                                 : heading_of_processes(columns));
  const std::size_t room = rows > around ? rows - around : 1;
  const auto lines = body(room, columns);
  frame.lines.insert(frame.lines.end(), lines.begin(), lines.end());
  if (pane_ != Pane::text && !lines.empty()) {
    frame.selected = 2 + place_ - first_;
  }
  frame.lines.resize(std::max(rows, std::size_t{1}) - 1);
  frame.lines.push_back(last_line(columns));
  for (std::string& line : frame.lines) {
    line = cut(line, columns);
  }
  return frame;
}

}  // namespace tenon::cli
