/// Whether the watched notice: the rates of a busy pipe, queue and topic while `tenon top` looks, beside those shortly
/// before and after, while it is stopped. How far these two differ from each other tells what can be told.
#include <cells/interval.hpp>
#include <harness/processors.hpp>
#include <watched/traffic.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

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

/// What one look took, between two times without.
struct Turn {
  double before;  // messages a second
  double with;
  double after;
  double share;  // of a core, that top used meanwhile

  double lost() const { return 1 - 2 * with / (before + after); }
  double drift() const { return 1 - after / before; }
};

double rate_during(const Traffic& traffic, const Top& top, double seconds) {
  const std::uint64_t before = traffic.received();
  const double began = seconds_of(CLOCK_MONOTONIC);
  top.watch(seconds);
  return static_cast<double>(traffic.received() - before) / (seconds_of(CLOCK_MONOTONIC) - began);
}

Turn measure(const Traffic& traffic, const Top& top, double seconds) {
  Turn turn{};
  top.go_on(false);
  turn.before = rate_during(traffic, top, seconds);
  top.go_on(true);
  const double used = top.processor_seconds();
  const double began = seconds_of(CLOCK_MONOTONIC);
  turn.with = rate_during(traffic, top, seconds);
  turn.share = (top.processor_seconds() - used) / (seconds_of(CLOCK_MONOTONIC) - began);
  top.go_on(false);
  turn.after = rate_during(traffic, top, seconds);
  return turn;
}

template <class Figure>
cells::Interval over(const std::vector<Turn>& turns, Figure figure) {
  std::vector<double> values;
  for (const Turn& turn : turns) {
    values.push_back(figure(turn));
  }
  return cells::interval_of(std::move(values));
}

std::string percent(const cells::Interval& part) {
  return fmt::format("{:.2f}% ({:.1f} to {:.1f})", 100 * part.median, 100 * part.low, 100 * part.high);
}

void print(const char* name, const std::vector<Turn>& turns) {
  fmt::print("{:<6} {:>12.0f} {:>12.0f} {:>8.2f}% {:>24} {:>24}\n", name,
             over(turns, [](const Turn& turn) { return turn.before; }).median,
             over(turns, [](const Turn& turn) { return turn.with; }).median,
             100 * over(turns, [](const Turn& turn) { return turn.share; }).median,
             percent(over(turns, [](const Turn& turn) { return turn.lost() - turn.share; })),
             percent(over(turns, [](const Turn& turn) { return turn.drift(); })));
  std::fflush(stdout);
}

void run(std::size_t times, double seconds, const harness::Placement& place) {
  const std::string path = "/dev/shm/tenon-watched-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  fmt::print("{}\n",
             place.processors.empty() ? "both ends where the kernel puts them" : "each end on a processor of its own");
  ::setenv("TENON_DOMAIN", path.c_str(), 1);
  fmt::print("{:<6} {:>12} {:>12} {:>9} {:>24} {:>24}   medians of {} times {} s\n", "", "alone /s", "watched /s",
             "top", "lost beyond top's own", "lost with nobody", times, seconds);
  for (const Kind& kind : kinds()) {
    const Traffic traffic(kind, domain, place);
    const Top top;
    top.watch(seconds);  // all have come
    std::vector<Turn> measured;
    for (std::size_t i = 0; i < times; ++i) {
      measured.push_back(measure(traffic, top, seconds));
    }
    print(kind.name, measured);
  }
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace watched

int main(int argc, char** argv) try {
  CLI::App program("The rates of a busy pipe, queue and topic, with tenon top and without.");
  std::size_t times = 20;
  double seconds = 2;
  bool quick = false;
  bool loose = false;
  program.add_option("--times", times, "That top looks, with as many before and after")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  program.add_option("--seconds", seconds, "Of one block")->check(CLI::Range(0.1, 3600.0))->capture_default_str();
  program.add_flag("--quick", quick, "Few times");
  program.add_flag("--loose", loose, "Leave to the kernel on which processors the two run, which else have one each");
  CLI11_PARSE(program, argc, argv);
  const auto apart = harness::across_cores(2);
  watched::run(quick ? 3 : times, seconds, loose || !apart ? harness::Placement{} : *apart);
  return 0;
} catch (const tenon::Failure& failure) {
  fmt::print(stderr, "{}\n", failure.what());
  return 1;
}
