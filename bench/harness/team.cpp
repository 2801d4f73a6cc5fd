// Edges between the parent and the sides, and among the sides:
//   S1  store-release `operations` (the parent asks) → load-acquire (a side is let go): publishes what is asked for.
//       The eventfd that stands between them orders the two anyway; the pair says so to compilers.
//   S2  add-release `finished` (a side has finished) → load-acquire (the parent collects): publishes its results.
//   S3  add-acq_rel `arrived` → load-acquire of the full count: what a side did before the meeting, all see after it.
#include <harness/team.hpp>

#include <tenon/base/cache_line.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/system_call.hpp>
#include <harness/spin.hpp>
#include <harness/system_calls.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <span>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace harness {

using tenon::Deadline;
using tenon::Errc;
using tenon::Error;
using tenon::fail;
using tenon::Result;

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t whole_pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

struct alignas(tenon::cache_line) SideReport {
  std::int64_t started = 0;
  std::int64_t ended = 0;
  double left_out = 0;
  std::uint64_t voluntary = 0;
  std::uint64_t involuntary = 0;
  std::int64_t processor_time = 0;
  std::uint64_t system_calls = 0;
  std::uint64_t sampled = 0;
  bool system_calls_counted = false;
  bool timed = false;
  std::atomic<std::uint64_t> finished = 0;  // making its loop, and each block after it
  std::array<char, 256> thrown = {};
};

// Each side sets up its own page table beforehand: else it would fault page by page while it is timed.
Result<void> populate(const tenon::Mapping& memory) {
  if (::madvise(memory.data(), memory.size(), MADV_POPULATE_WRITE) == -1) {
    return fail(tenon::os_failure("madvise", errno).because("the memory of a benchmark could not be pre-faulted"));
  }
  return {};
}

struct Usage {
  std::uint64_t voluntary = 0;
  std::uint64_t involuntary = 0;
  std::int64_t processor_time = 0;
};

Usage own_usage() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return {static_cast<std::uint64_t>(usage.ru_nvcsw), static_cast<std::uint64_t>(usage.ru_nivcsw),
          tenon::processor_time()};
}

Result<tenon::Fd> event_counter(int flags) { return tenon::fd_from(::eventfd(0, EFD_CLOEXEC | flags), "eventfd"); }

bool add_to(tenon::FdView counter, std::uint64_t amount) {
  return tenon::uninterrupted([&] { return ::write(counter.raw(), &amount, sizeof amount); }) != -1;
}

std::uint64_t take_from(tenon::FdView counter) {
  std::uint64_t amount = 0;
  return tenon::uninterrupted([&] { return ::read(counter.raw(), &amount, sizeof amount); }) == -1 ? 0 : amount;
}

}  // namespace

struct Team::Board {
  alignas(tenon::cache_line) std::atomic<std::uint64_t> operations = 0;
  std::uint64_t warm_up = 0;
  Observe observe = Observe::time_alone;
  alignas(tenon::cache_line) std::atomic<std::uint64_t> arrived = 0;
  std::array<SideReport, max_sides> sides;

  static constexpr std::size_t samples_at() { return whole_pages(sizeof(Board)); }
  static constexpr std::size_t subject_at() { return samples_at() + max_samples * sizeof(double); }
};

Team::Team(std::string name, bool exclusive, const Clock& clock, tenon::Mapping memory, tenon::Fd go, tenon::Fd done)
    : name_(std::move(name)),
      clock_(clock),
      memory_(std::move(memory)),
      go_(std::move(go)),
      done_(std::move(done)),
      exclusive_(exclusive) {}

Team::~Team() {
  end_all();
  if (finish_ != nullptr && *finish_) {
    (*finish_)();
  }
}

Team::Board& Team::board() const noexcept { return *std::launder(reinterpret_cast<Board*>(memory_.data())); }

double* Team::samples() const noexcept { return reinterpret_cast<double*>(memory_.data() + Board::samples_at()); }

Result<Team> Team::start(const Subject& subject, const Placement& placement, const Clock& clock, Deadline deadline) {
  tenon::expects(!subject.sides.empty() && subject.sides.size() <= max_sides, "a team has 1 to 63 sides");
  tenon::expects(placement.processors.size() == subject.sides.size(), "a placement has one processor for each side");
  tenon::expects(subject.timed_side < subject.sides.size(), "the timed side is one of the sides");
  auto memory = tenon::Mapping::shared_with_children(Board::subject_at() + whole_pages(subject.shared_bytes));
  auto go = event_counter(EFD_SEMAPHORE);
  auto done = event_counter(0);
  for (Error* error :
       {memory ? nullptr : &memory.error(), go ? nullptr : &go.error(), done ? nullptr : &done.error()}) {
    if (error != nullptr) {
      return fail(std::move(*error).on(subject.name));
    }
  }
  if (auto ready = populate(*memory); !ready) {
    return fail(std::move(ready.error()).on(subject.name));
  }
  new (memory->data()) Board;
  Team team(subject.name, placement.exclusive, clock, std::move(*memory), std::move(*go), std::move(*done));
  team.finish_ = std::make_unique<std::function<void()>>(subject.finish);
  if (subject.prepare) {
    subject.prepare(team.memory_.bytes().subspan(Board::subject_at(), subject.shared_bytes));
  }
  for (const Side& side : subject.sides) {
    team.sides_.push_back(side.name);
  }
  for (std::size_t index = 0; index < subject.sides.size(); ++index) {
    auto child = tenon::spawn([&] { return team.be_member(subject, placement, index); });
    if (!child) {
      return fail(std::move(child.error()).on(subject.name));
    }
    team.children_.push_back(std::move(*child));
  }
  if (auto all = team.await_all(deadline); !all) {
    return fail(std::move(all.error()));  // the team's destructor ends the others
  }
  return team;
}

Result<Block> Team::run(std::uint64_t operations, std::uint64_t warm_up, Observe observe, Deadline deadline) {
  tenon::expects(operations > 0, "a block has at least one operation");
  tenon::expects(!children_.empty(), "a team whose block failed is dead");
  operations_ += operations + warm_up;
  board().warm_up = warm_up;
  board().observe = observe;
  board().operations.store(operations, std::memory_order_release);  // S1
  ++expected_;
  if (!add_to(go_.view(), children_.size())) {
    return fail(tenon::os_failure("write", errno).on(name_));
  }
  if (auto all = await_all(deadline); !all) {
    end_all();
    return fail(std::move(all.error()));
  }
  return collect();
}

int Team::be_member(const Subject& subject, const Placement& placement, std::size_t index) const {
  SideReport& report = board().sides[index];
  try {
    pin_to(placement.processors[index]).or_throw();
    populate(memory_).or_throw();
    report.timed = index == subject.timed_side;
    Loop loop = subject.sides[index].start(memory_.bytes().subspan(Board::subject_at(), subject.shared_bytes));
    while (true) {
      report.finished.fetch_add(1, std::memory_order_release);  // S2
      if (!add_to(done_.view(), 1) || take_from(go_.view()) != 1) {
        throw std::runtime_error("the parent cannot be heard any more");
      }
      do_block(index, loop);
    }
  } catch (const std::exception& error) {
    std::snprintf(report.thrown.data(), report.thrown.size(), "%s", error.what());
  }
  return 1;
}

void Team::do_block(std::size_t side, Loop& loop) const {
  Board& asked = board();
  const std::uint64_t operations = asked.operations.load(std::memory_order_acquire);  // S1
  SideReport& report = asked.sides[side];
  if (asked.warm_up > 0) {
    Round warming(asked.warm_up);
    loop(warming);
  }
  const bool everything = asked.observe == Observe::everything;
  // Only now: while a counter is open, each system call of the process takes a longer way.
  Result<SystemCalls> system_calls = fail(Errc::not_supported);
  if (everything) {
    system_calls = SystemCalls::count_own();
  }
  report.system_calls_counted = system_calls.has_value();
  meet();
  const Usage before = own_usage();  // not what waiting for the others took
  const std::uint64_t calls = system_calls ? system_calls->so_far() : 0;
  report.started = tenon::monotonic_now();
  Round round = everything && report.timed ? Round(operations, clock_, samples(), max_samples) : Round(operations);
  loop(round);
  report.ended = tenon::monotonic_now();
  report.left_out = round.left_out();
  report.system_calls = system_calls ? system_calls->so_far() - calls : 0;
  const Usage after = own_usage();
  report.voluntary = after.voluntary - before.voluntary;
  report.involuntary = after.involuntary - before.involuntary;
  report.processor_time = after.processor_time - before.processor_time;
  report.sampled = everything && report.timed ? static_cast<std::uint64_t>(round.sampled_up_to() - samples()) : 0;
}

void Team::meet() const {
  const std::uint64_t sides = sides_.size();
  std::atomic<std::uint64_t>& arrived = board().arrived;
  const std::uint64_t mine = arrived.fetch_add(1, std::memory_order_acq_rel);  // S3
  const std::uint64_t all = (mine / sides + 1) * sides;
  spin_until([&] { return arrived.load(std::memory_order_acquire) >= all; });  // S3
}

Result<void> Team::await_all(Deadline deadline) {
  std::vector<tenon::PollItem> items = {{.fd = done_.view()}};
  for (const tenon::Child& child : children_) {
    items.push_back({.fd = child.fd()});
  }
  for (std::uint64_t done = 0; done < children_.size();) {
    if (auto ready = tenon::wait_any(items, deadline); !ready) {
      return fail(who_is_missing(std::move(ready.error())));
    }
    // Who has thrown is asked first: the others may well have finished.
    for (std::size_t side = 0; side < children_.size(); ++side) {
      if (items[side + 1].ready != tenon::Ready::nothing) {
        return fail(why_it_ended(side));
      }
    }
    done += take_from(done_.view());
  }
  return {};
}

Error Team::who_is_missing(Error error) const {
  std::string missing;
  for (std::size_t side = 0; side < sides_.size(); ++side) {
    if (board().sides[side].finished.load(std::memory_order_acquire) < expected_) {  // S2
      missing += (missing.empty() ? "" : ", ") + sides_[side];
    }
  }
  return std::move(error).on(name_).because("not back: " + missing);
}

// Its own words if it threw; else how it died.
Error Team::why_it_ended(std::size_t side) {
  auto status = children_[side].wait(tenon::never);
  if (!status) {
    return std::move(status.error());
  }
  const std::string thrown = board().sides[side].thrown.data();
  return Error(thrown.empty() ? Errc::peer_died : Errc::aborted)
      .on(name_)
      .because(sides_[side] + ": " + (thrown.empty() ? status->message() : thrown));
}

Block Team::collect() const {
  Block block;
  block.operations = board().operations.load(std::memory_order_relaxed);  // own word: only the parent writes it
  std::int64_t started = INT64_MAX;
  std::int64_t ended = 0;
  double left_out = 0;
  std::uint64_t calls = 0;
  bool counted = board().observe == Observe::everything;
  for (const SideReport& side : std::span(board().sides).first(sides_.size())) {
    tenon::expects(side.finished.load(std::memory_order_acquire) == expected_, "all sides are back");  // S2
    started = std::min(started, side.started);
    block.counts.voluntary_switches += side.voluntary;
    block.counts.involuntary_switches += side.involuntary;
    block.counts.processor_nanoseconds += static_cast<double>(side.processor_time);
    calls += side.system_calls;
    counted = counted && side.system_calls_counted;
    if (side.timed) {
      ended = side.ended;
      left_out = side.left_out;
      block.samples.assign(samples(), samples() + side.sampled);
    }
  }
  block.nanoseconds = static_cast<double>(ended - started) - left_out;
  block.counts.processor_nanoseconds = std::max(0.0, block.counts.processor_nanoseconds - left_out);
  block.counts.system_calls = counted ? std::optional(calls) : std::nullopt;
  return block;
}

// Killed rather than asked: a side may be spinning for a peer that is gone. It holds nothing that outlives it.
void Team::end_all() noexcept {
  for (tenon::Child& child : children_) {
    (void)child.signal(SIGKILL);
  }
  for (tenon::Child& child : children_) {
    (void)child.wait(tenon::never);
  }
  children_.clear();
}

}  // namespace harness
