// Whether a comparison of two runs sees a mechanism that has become 5% slower, and sees nothing where nothing has
// changed: each mechanism is measured twice as it is, and once with a sender that spends so much more on each message.
#include <tenon/os/clock.hpp>
#include <cells/line.hpp>
#include <cells/report.hpp>
#include <harness/command_line.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace {

using cells::Cell;
using cells::Line;
using cells::LineKind;

// Takes its time, and then sends through another line: afterwards, the receiver would not wait for it.
class SlowedLine final : public Line {
 public:
  SlowedLine(std::shared_ptr<Line> line, double nanoseconds, const harness::Clock& clock)
      : line_(std::move(line)), nanoseconds_(nanoseconds - clock.cost()), clock_(clock) {}
  void send(std::uint64_t number) override {
    const std::uint64_t began = clock_.ticks();
    while (clock_.nanoseconds(clock_.ticks() - began) < nanoseconds_) {
    }
    line_->send(number);
  }
  bool try_send(std::uint64_t number) override { return line_->try_send(number); }
  std::uint64_t receive(std::uint64_t number) override { return line_->receive(number); }

 private:
  std::shared_ptr<Line> line_;
  double nanoseconds_;
  harness::Clock clock_;
};

LineKind slowed(LineKind kind, double nanoseconds, const harness::Clock& clock) {
  kind.open = [open = kind.open, nanoseconds, clock](const Cell& cell) -> std::shared_ptr<Line> {
    return std::make_shared<SlowedLine>(open(cell), nanoseconds, clock);
  };
  return kind;
}

std::vector<cells::Told> run_of(cells::Session& session, const LineKind& kind) {
  const cells::Mechanism mechanism = cells::mechanism_of(kind);
  cells::Report report{.environment = {}, .self_test = {}, .places = {}, .effort = {}, .limits = {}, .rows = {}};
  report.rows = session.measure({&mechanism}, {Cell{.bytes = 64, .wait = cells::Wait::spin}},
                                [](const std::string&, std::size_t, std::size_t) {});
  return cells::told(report);
}

int compare(double percent, int repeats) {
  auto session = cells::Session::start({.repeats = repeats}).or_throw();
  bool good = true;
  for (const LineKind& kind : {cells::pipe_line(), cells::unix_stream_line(), cells::unix_datagram_line(),
                               cells::posix_queue_line(), cells::sysv_queue_line(), cells::memfd_line()}) {
    const auto first = run_of(session, kind);
    const auto second = run_of(session, kind);
    // There and back has two senders.
    const double extra = first.front().nanoseconds.median * percent / 100 / 2;
    const auto third = run_of(session, slowed(kind, extra, session.clock()));
    const auto again = cells::compare(first, second).front();
    const auto later = cells::compare(first, third).front();
    const bool sees = later.verdict == cells::Verdict::slower && again.verdict == cells::Verdict::same;
    good = good && sees;
    fmt::print("{:16} as it is again {:+5.1f}%, with {:.0f}% more {:+5.1f}%: {}\n", kind.name, 100 * again.change,
               percent, 100 * later.change,
               again.verdict != cells::Verdict::same     ? "TAKEN FOR ANOTHER"
               : later.verdict == cells::Verdict::slower ? "seen"
                                                         : "NOT SEEN");
  }
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Whether a comparison sees a mechanism that has become slower; for a quiet machine");
  double percent = 5;
  app.add_option("--percent", percent, "How much slower")->check(CLI::Range(1.0, 100.0));
  // The median of so many is surer than what is looked for.
  int repeats = 61;
  app.add_option("--repeats", repeats, "Of each")->check(CLI::Range(3, 1001))->capture_default_str();
  return harness::run_program("slowed", app, argc, argv, [&] { return compare(percent, repeats); });
}
