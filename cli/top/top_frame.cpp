#include <cli/top/top_frame.hpp>

#include <tenon/base/name.hpp>

#include <cli/columns.hpp>
#include <cli/object_text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace tenon::cli {

namespace {

constexpr std::size_t figures_width = 10 + 1 + 8 + 1 + 5 + 2;
constexpr std::size_t process_width = 8 + 2 + 10 + 1 + 7 + 2;
constexpr std::size_t widest_text = 60;  // of who holds it, where there is no width to keep to

std::string filled(const std::string& text, std::size_t width) {
  const std::string fitting = cut(text, width);
  return fitting + std::string(width - std::min(width, width_of(fitting)), ' ');
}

// Two texts beside each other: the first has as much as it needs, up to most of what there is.
std::string beside(const std::string& first, const std::string& second, std::size_t width) {
  if (width == 0) {
    return fmt::format("{}  {}", filled(first, std::max<std::size_t>(width_of(first), 24)), cut(second, widest_text));
  }
  const std::size_t left = width * 3 / 5;
  return width < 20 ? filled(first, width) : filled(first, left) + "  " + filled(second, width - left - 2);
}

std::string rate_text(const Traffic& traffic) {
  if (traffic.rate == 0) {
    return traffic.is_least ? "-" : "0/s";
  }
  const char* const least = traffic.is_least ? ">" : "";
  return traffic.rate >= 1e6   ? fmt::format("{}{:.1f}M/s", least, traffic.rate / 1e6)
         : traffic.rate >= 1e4 ? fmt::format("{}{:.1f}k/s", least, traffic.rate / 1e3)
                               : fmt::format("{}{:.1f}/s", least, traffic.rate);
}

std::size_t rest_of(std::size_t width, std::size_t used) { return width == 0 ? 0 : width - std::min(width, used); }

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace

std::string heading_of_objects(std::size_t width) {
  return fmt::format("{:>10} {:>8} {:>5}  ", "TRAFFIC", "DEPTH", "WAIT") +
         beside("OBJECT", "HELD BY", rest_of(width, figures_width));
}

std::string line_of(const TopObject& row, std::size_t width) {
  return fmt::format("{:>10} {:>8} {:>5}  ", rate_text(row.traffic), row.depth, row.waiters) +
         beside(row.target, row.holders, rest_of(width, figures_width));
}

std::string heading_of_processes(std::size_t width) {
  return fmt::format("{:>8}  {:<10} {:>7}  ", "PID", "USER", "OBJECTS") +
         beside("COMMAND", "WAITS", rest_of(width, process_width));
}

std::string line_of(const TopProcess& row, std::size_t width) {
  return fmt::format("{:>8}  {} {:>7}  ", row.pid, filled(user_text(row.user), 10), row.objects) +
         beside(escaped(row.command), row.waits, rest_of(width, process_width));
}

std::string title_of(const TopCount& count, double interval, const TopChoice& choice) {
  const auto counted = [](std::size_t number, const char* one, const char* several) {
    return fmt::format("{} {}", number, number == 1 ? one : several);
  };
  std::string text = fmt::format("tenon top {}  {}, {}; each {:.1f} s, by {}", clock_text(),
                                 counted(count.objects, "object", "objects"),
                                 counted(count.processes, "process", "processes"), interval, name_of(choice.order));
  text += choice.filter.empty() ? "" : ", with \"" + escaped(choice.filter) + "\"";
  return text + (count.unseen == 0 ? "" : fmt::format("; {} not seen", count.unseen));
}

}  // namespace tenon::cli
