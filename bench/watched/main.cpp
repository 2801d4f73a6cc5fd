/// Whether the watched notice: the rates of a busy pipe, queue and topic while `tenon top` looks, and while it is
/// stopped.
#include <watched/traffic.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

namespace watched {
namespace {

using namespace tenon;

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// `tenon top` at a terminal whose screen nobody looks at.
class Top {
 public:
  Top() : screen_(Fd::adopt(-1)), child_(start(screen_)) {
    clockid_t clock = 0;
    ::clock_getcpuclockid(child_.pid(), &clock);
    clock_ = clock;
  }
  ~Top() {
    (void)child_.signal(SIGKILL);
    (void)child_.wait(never);
  }
  Top(const Top&) = delete;
  Top& operator=(const Top&) = delete;

  void go_on(bool goes) const { child_.signal(goes ? SIGCONT : SIGSTOP).or_throw(); }
  double processor_seconds() const { return seconds_of(clock_); }
  /// Takes what it sends for so long.
  void watch(double seconds) const {
    const double end = seconds_of(CLOCK_MONOTONIC) + seconds;
    std::array<char, 65536> room{};
    for (double left = seconds; left > 0; left = end - seconds_of(CLOCK_MONOTONIC)) {
      pollfd item{.fd = screen_.raw(), .events = POLLIN, .revents = 0};
      if (::poll(&item, 1, static_cast<int>(left * 1000) + 1) == 1) {
        [[maybe_unused]] const ssize_t got = ::read(screen_.raw(), room.data(), room.size());
      }
    }
  }

 private:
  static Child start(Fd& screen) {
    int master = -1;
    int slave = -1;
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::openpty(&master, &slave, nullptr, nullptr, &size) == -1) {
      std::perror("openpty");
      std::exit(1);
    }
    screen = Fd::adopt(master);
    const Fd keyboard = Fd::adopt(slave);
    return spawn_program(TENON_PROGRAM, {"top"},
                         {.descriptors = {{keyboard.view(), 0}, {keyboard.view(), 1}}, .environment = {"TERM=xterm"}})
        .or_throw();
  }

  Fd screen_;
  Child child_;
  clockid_t clock_ = 0;
};

struct Pair {
  double without;  // messages a second
  double with;
  double share;  // of a core, that top used meanwhile
};

double rate_during(const Traffic& traffic, const Top& top, double seconds) {
  const std::uint64_t before = traffic.received();
  const double began = seconds_of(CLOCK_MONOTONIC);
  top.watch(seconds);
  return static_cast<double>(traffic.received() - before) / (seconds_of(CLOCK_MONOTONIC) - began);
}

// The one and the other come first in turn: what drifts meanwhile is on neither's side.
Pair measure(const Traffic& traffic, const Top& top, double seconds, bool without_first) {
  Pair pair{};
  for (const bool watches : {!without_first, without_first}) {
    top.go_on(watches);
    const double used = top.processor_seconds();
    const double rate = rate_during(traffic, top, seconds);
    (watches ? pair.with : pair.without) = rate;
    pair.share = watches ? (top.processor_seconds() - used) / seconds : pair.share;
  }
  return pair;
}

template <class Figure>
double median(const std::vector<Pair>& pairs, Figure figure) {
  std::vector<double> values;
  for (const Pair& pair : pairs) {
    values.push_back(figure(pair));
  }
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print(const char* name, const std::vector<Pair>& pairs) {
  const auto lost = [](const Pair& pair) { return 1 - pair.with / pair.without; };
  fmt::print("{:<6} {:>14.0f} {:>14.0f} {:>8.2f}% {:>8.2f}% {:>8.2f}%\n", name,
             median(pairs, [](const Pair& pair) { return pair.without; }),
             median(pairs, [](const Pair& pair) { return pair.with; }), 100 * median(pairs, lost),
             100 * median(pairs, [](const Pair& pair) { return pair.share; }),
             100 * median(pairs, [&](const Pair& pair) { return lost(pair) - pair.share; }));
  std::fflush(stdout);
}

void run(std::size_t pairs, double seconds) {
  const std::string path = "/dev/shm/tenon-watched-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  ::setenv("TENON_DOMAIN", path.c_str(), 1);
  fmt::print("{:<6} {:>14} {:>14} {:>9} {:>9} {:>9}   medians of {} pairs of {} s\n", "", "alone /s", "watched /s",
             "lost", "top", "beyond", pairs, seconds);
  for (const Kind& kind : kinds()) {
    const Traffic traffic(kind, domain);
    const Top top;
    top.watch(seconds);  // all have come
    std::vector<Pair> measured;
    for (std::size_t i = 0; i < pairs; ++i) {
      measured.push_back(measure(traffic, top, seconds, i % 2 == 0));
    }
    print(kind.name, measured);
  }
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace watched

int main(int argc, char** argv) try {
  CLI::App program("The rates of a busy pipe, queue and topic, with tenon top and without.");
  std::size_t pairs = 20;
  double seconds = 2;
  bool quick = false;
  program.add_option("--pairs", pairs, "Of blocks, one with and one without")->capture_default_str();
  program.add_option("--seconds", seconds, "Of one block")->capture_default_str();
  program.add_flag("--quick", quick, "Few pairs");
  CLI11_PARSE(program, argc, argv);
  watched::run(quick ? 3 : pairs, seconds);
  return 0;
} catch (const tenon::Failure& failure) {
  fmt::print(stderr, "{}\n", failure.what());
  return 1;
}
