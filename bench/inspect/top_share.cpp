#include <inspect/top_share.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspections {

namespace {

constexpr double until_settled = 3;  // seconds

// What it sends is read, as a terminal does.
void watch(int screen, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::array<char, 4096> part{};
  while (std::chrono::steady_clock::now() < end) {
    pollfd item{.fd = screen, .events = POLLIN, .revents = 0};
    if (::poll(&item, 1, 50) == 1 && ::read(screen, part.data(), part.size()) <= 0) {
      return;
    }
  }
}

// Seconds of processors that it has used so far.
std::optional<double> used_by(pid_t process) {
  clockid_t clock{};
  timespec used{};
  const bool told = ::clock_getcpuclockid(process, &clock) == 0 && ::clock_gettime(clock, &used) == 0;
  return told ? std::optional(static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9)
              : std::nullopt;
}

}  // namespace

std::optional<double> share_of_top(const std::string& program, double seconds) {
  const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  int screen = -1;
  const pid_t child = ::forkpty(&screen, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    ::execl(program.c_str(), program.c_str(), "top", nullptr);
    ::_exit(127);
  }
  if (child == -1) {
    return std::nullopt;
  }
  watch(screen, until_settled);
  const auto before = used_by(child);
  const auto began = std::chrono::steady_clock::now();
  watch(screen, seconds);
  const auto after = used_by(child);
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  ::close(screen);
  return before && after && *after > *before ? std::optional((*after - *before) / passed) : std::nullopt;
}

}  // namespace inspections
