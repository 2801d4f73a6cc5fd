#include <cells/session.hpp>

#include <cells/limit_of.hpp>
#include <harness/probe.hpp>

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <iterator>
#include <random>
#include <thread>

namespace cells {

using harness::Placement;
using harness::Subject;
using tenon::fail;
using tenon::Result;
using namespace std::chrono_literals;

struct Session::Plan {
  Row row;
  Subject subject;
  Subject limit;
  Result<Placement> placement;
  std::optional<tenon::Error> failure = {};  ///< of the last repeat that had one
};

namespace {

// The least time that two looks tell apart.
double step_of(const harness::Clock& clock) {
  constexpr int looks = 2000;
  double least = 1e9;
  for (int i = 0; i < looks; ++i) {
    const std::uint64_t first = clock.ticks();
    std::uint64_t second = first;
    while (second == first) {
      second = clock.ticks();
    }
    least = std::min(least, clock.nanoseconds(second - first));
  }
  return least;
}

// A clock that tells milliseconds, or a machine on which two equal things differ by half, can tell nothing.
bool is_coarse(const SelfTest& test) {
  constexpr double coarsest = 1000;
  return test.clock_nanoseconds > coarsest;
}
bool is_disturbed(const SelfTest& test) {
  constexpr double most_apart = 0.35;
  return std::max(1 - test.beside_itself.low, test.beside_itself.high - 1) > most_apart;
}

std::string refusal_of(const SelfTest& test) {
  if (is_coarse(test)) {
    return fmt::format("the clock tells {:.0f} ns, which is more than what is to be measured", test.clock_nanoseconds);
  }
  return !is_disturbed(test)
             ? ""
             : fmt::format(
                   "this machine is too busy: a cache line bounced between two processors takes {:.2f} to "
                   "{:.2f} times as long as itself",
                   test.beside_itself.low, test.beside_itself.high);
}

// While a backlog is made and drained both sides are busy, and what takes a line away may sleep.
bool counts_are_its_own(const Cell& cell) { return !cell.has_backlog() && cell.pattern != Pattern::first_message; }

// What this user or this machine may not have so large.
bool is_a_limit(const tenon::Error& error) {
  const auto code = error.code();
  return code == tenon::Errc::limit_reached || code == tenon::Errc::permission_denied ||
         code == tenon::Errc::not_supported || code == tenon::Errc::no_space || code == tenon::Errc::no_memory;
}

}  // namespace

Interval Row::over(const std::function<double(const Sample&)>& what) const {
  std::vector<double> figures;
  for (const Sample& sample : samples) {
    figures.push_back(what(sample));
  }
  return interval_of(std::move(figures));
}

std::optional<Interval> Row::processor() const {
  if (!counts_are_its_own(cell)) {
    return std::nullopt;
  }
  return over([&](const Sample& sample) { return sample.figure.subject.processor / cell.deliveries(); });
}

std::optional<Interval> Row::switches() const {
  if (!counts_are_its_own(cell)) {
    return std::nullopt;
  }
  return over([&](const Sample& sample) { return sample.figure.subject.switches / cell.deliveries(); });
}

std::optional<Interval> Row::system_calls() const {
  const bool counted =
      std::ranges::all_of(samples, [](const Sample& sample) { return sample.figure.subject.system_calls.has_value(); });
  if (!counted || !counts_are_its_own(cell)) {
    return std::nullopt;
  }
  return over([&](const Sample& sample) { return *sample.figure.subject.system_calls / cell.deliveries(); });
}

bool Row::has_percentiles() const {
  return cell.pattern != Pattern::one_way && !cell.is_fan() && samples.front().figure.subject.single.samples > 0;
}

double Row::longest() const {
  double most = 0;
  for (const Sample& sample : samples) {
    most = std::max(most, sample.figure.subject.single.max);
  }
  return most;
}

Interval Row::nanoseconds() const {
  return over([&](const Sample& sample) { return sample.figure.subject.nanoseconds / cell.deliveries(); });
}

Interval Row::ratio() const {
  return over([&](const Sample& sample) { return sample.figure.ratio.median / messages_of(cell); });
}

Result<Session> Session::start(const Effort& effort) {
  auto bench = limits::Bench::start(effort.extent);
  if (!bench) {
    return fail(std::move(bench.error()));
  }
  auto places = Places::find(bench->clock());
  if (!places) {
    return fail(std::move(places.error()));
  }
  return Session(std::move(*bench), std::move(*places), effort);
}

Result<Interval> Session::line_beside_itself() {
  const Cell cell{.bytes = 8, .wait = Wait::spin, .place = places_.has(Place::near) ? Place::near : Place::one_core};
  std::vector<double> ratios;
  for (int i = 0; i < 5; ++i) {
    auto row = bench_.compare("a line beside itself", harness::bounced_line(), harness::bounced_line(),
                              places_.placement_of(cell, 2), {.pace = pace_for(cell), .seed = draw_()});
    if (!row) {
      return fail(std::move(row.error()));
    }
    ratios.push_back(row->figure.ratio.median);
  }
  return interval_of(std::move(ratios));
}

// What disturbs for a moment alone is waited for.
Result<SelfTest> Session::test_itself(const std::function<bool()>& goes_on) {
  constexpr int most_looks = 8;
  SelfTest test{.clock_nanoseconds = std::max(clock().cost(), step_of(clock())), .beside_itself = {}, .refusal = {}};
  do {
    std::this_thread::sleep_for(test.looks == 0 ? 0ms : 500ms);
    auto beside = line_beside_itself();
    if (!beside) {
      return fail(std::move(beside.error()));
    }
    test.beside_itself = *beside;
    ++test.looks;
  } while (!is_coarse(test) && is_disturbed(test) && test.looks < most_looks && goes_on());
  test.refusal = refusal_of(test);
  return test;
}

// Many processes on few processors take turns of milliseconds, so a block of theirs is longer.
harness::Pace Session::pace_for(const Cell& cell) const {
  const bool is_quick = effort_.extent == limits::Extent::quick;
  harness::Pace pace{.block = is_quick ? 300us : 1000us,
                     .blocks = is_quick ? 5 : 11,
                     .starts = 1,
                     .max_starts = 1,
                     .least_samples = is_quick ? 100U : 1000U};
  if (cell.is_fan()) {
    pace.block = is_quick ? 8ms : 30ms;
    pace.blocks = is_quick ? 3 : 5;
  }
  return pace;
}

Result<Subject> Session::best_limit(const Cell& cell) {
  const auto candidates = limits_of(cell, effort_.extent);
  if (candidates.size() == 1) {
    return candidates.front().subject;
  }
  std::string names;
  for (const limits::Limit& limit : candidates) {
    names += limit.subject.name + "\n";
  }
  if (const auto known = best_.find(names); known != best_.end()) {
    return known->second;
  }
  double least = 0;
  for (const limits::Limit& limit : candidates) {
    auto row = bench_.measure(limit);
    if (!row) {
      return fail(std::move(row.error()));
    }
    if (best_.find(names) == best_.end() || row->figure.nanoseconds < least) {
      least = row->figure.nanoseconds;
      best_[names] = limit.subject;
    }
  }
  return best_[names];
}

std::vector<limits::Row> Session::measure_limits(const Progress& progress) {
  std::vector<limits::Limit> all;
  if (effort_.extent == limits::Extent::full) {
    all = limits::all_limits(effort_.extent);
  } else {  // those that hold for every row; the others stand beside the rows that they are a limit of
    for (auto family : {limits::cache_line, limits::copies, limits::futexes, limits::eventfds, limits::costs}) {
      std::ranges::move(family(effort_.extent), std::back_inserter(all));
    }
  }
  std::vector<limits::Row> rows;
  for (const limits::Limit& limit : all) {
    progress(limit.subject.name, rows.size(), all.size());
    auto row = bench_.measure(limit);
    rows.push_back(row ? std::move(*row)
                       : limits::Row{.name = limit.subject.name,
                                     .family = limit.family,
                                     .where = limit.where,
                                     .kind = limit.kind,
                                     .not_measured = row.error().message(),
                                     .figure = {},
                                     .attempts = {}});
  }
  return rows;
}

std::optional<Session::Plan> Session::plan(const Mechanism& mechanism, const Cell& cell) {
  auto subject = mechanism.subject(cell);
  if (subject.failed_with(tenon::Errc::not_supported)) {
    return std::nullopt;
  }
  Row row{.mechanism = &mechanism, .cell = cell, .limit = {}, .not_measured = {}, .samples = {}, .memory = {}};
  if (!subject) {
    row.not_measured = subject.error().message();
    return Plan{.row = std::move(row), .subject = {}, .limit = {}, .placement = harness::alone()};
  }
  auto placement = places_.placement_of(cell, subject->sides.size());
  Plan plan{.row = std::move(row), .subject = std::move(*subject), .limit = {}, .placement = std::move(placement)};
  if (!plan.placement) {
    plan.row.not_measured = plan.placement.error().message();
    return plan;
  }
  auto limit = best_limit(cell);
  if (!limit) {
    plan.row.not_measured = limit.error().message();
    plan.row.failed = true;
    return plan;
  }
  plan.limit = std::move(*limit);
  plan.row.limit = plan.limit.name;
  if (cell.depth > 0 && mechanism.memory) {
    plan.row.memory = mechanism.memory(cell);
  }
  return plan;
}

// A mechanism says by throwing what it cannot open, such as a queue deeper than this user may have.
void Session::measure_once(Plan& plan) try {
  auto seen = bench_.compare(plan.subject.name, plan.limit, plan.subject, plan.placement,
                             {.pace = pace_for(plan.row.cell), .seed = draw_()});
  if (seen) {
    plan.row.samples.push_back({.figure = std::move(seen->figure), .attempts = seen->attempts});
    return;
  }
  plan.failure = std::move(seen.error());
} catch (const tenon::Failure& failure) {
  plan.failure = failure.error();
}

std::vector<Row> Session::measure(const std::vector<const Mechanism*>& mechanisms, const std::vector<Cell>& cells,
                                  const Progress& progress) {
  std::vector<Plan> plans;
  for (const Cell& cell : cells) {
    for (const Mechanism* mechanism : mechanisms) {
      if (auto made = plan(*mechanism, cell)) {
        plans.push_back(std::move(*made));
      }
    }
  }
  std::vector<std::size_t> order(plans.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const std::size_t all = plans.size() * static_cast<std::size_t>(effort_.repeats);
  std::size_t done = 0;
  for (int repeat = 0; repeat < effort_.repeats; ++repeat) {
    std::ranges::shuffle(order, draw_);
    for (const std::size_t next : order) {
      Plan& plan = plans[next];
      progress(plan.row.mechanism->name, done++, all);
      if (plan.row.not_measured.empty() && (repeat == 0 || !plan.row.samples.empty())) {
        measure_once(plan);
      }
    }
  }
  std::vector<Row> rows;
  for (Plan& plan : plans) {
    if (plan.row.samples.empty() && plan.failure) {
      plan.row.not_measured = plan.failure->message();
      plan.row.failed = !is_a_limit(*plan.failure);
    }
    rows.push_back(std::move(plan.row));
  }
  return rows;
}

}  // namespace cells
