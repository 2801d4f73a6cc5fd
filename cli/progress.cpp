#include <cli/progress.hpp>

#include <tenon/os/clock.hpp>

#include <cli/say.hpp>

#include <fmt/core.h>

#include <unistd.h>

namespace tenon::cli {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t between = second / 5;
constexpr double megabyte = 1e6;
constexpr const char* clear_line = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string verb, std::optional<std::uint64_t> total)
    : verb_(std::move(verb)),
      total_(total),
      started_(monotonic_now()),
      next_(started_ + second),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) {
    say(clear_line);
  }
}

void Progress::add(std::uint64_t bytes) {
  bytes_ += bytes;
  if (!terminal_) {
    return;
  }
  if (const std::int64_t now = monotonic_now(); now >= next_) {
    show(now);
    next_ = now + between;
  }
}

void Progress::show(std::int64_t now) {
  const double seconds = static_cast<double>(now - started_) / static_cast<double>(second);
  const double megabytes = static_cast<double>(bytes_) / megabyte;
  const std::string of_all = total_ ? fmt::format(" of {:.0f} MB", static_cast<double>(*total_) / megabyte) : "";
  say(fmt::format("{}{} {:.0f} MB{}, {:.0f} MB/s", clear_line, verb_, megabytes, of_all, megabytes / seconds));
  shown_ = true;
}

}  // namespace tenon::cli
