// What waiting costs, and what remains of those who crash.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace life_table {

namespace {

using namespace std::chrono_literals;

enum class Waits : std::uint8_t { on_a_peer, on_a_roster, on_a_watched_roster, barely };

constexpr std::uint64_t thousandth = 1000;  // parts per million of a core
constexpr int most_tries = 3;

// What any wait costs that looks as often as Tenon's: the least that the kernel can be asked for.
void wait_barely(tenon::Deadline deadline) {
  const tenon::Fd file = tenon::fd_from(::memfd_create("looked at", MFD_CLOEXEC), "memfd_create").or_throw();
  const timespec period{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(tenon::recheck_interval).count()};
  while (!deadline.passed()) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    ::fcntl(file.raw(), F_GETLK, &lock);
    ::ppoll(nullptr, 0, &period, nullptr);
  }
}

// Parts per million of a core that the wait took: the least of up to three spans, since whatever else the machine does
// at the same time (cold caches, interrupts) is charged to the waiter and can only add.
std::uint64_t wait_and_measure(const ScratchDomain& domain, tenon::Token other, Waits how,
                               std::chrono::milliseconds span, std::uint64_t allowed) {
  const auto peer = tenon::Peer::open(*domain, other).or_throw();
  auto roster = tenon::Roster::open(*domain).or_throw();
  if (how == Waits::on_a_watched_roster) {
    roster.watch(other).or_throw();
  }
  const auto wait = [&](tenon::Deadline deadline) {
    if (how == Waits::barely) {
      wait_barely(deadline);
    } else if (how == Waits::on_a_peer) {
      (void)peer.wait_for_death(deadline);
    } else {
      (void)roster.wait(deadline);
    }
  };
  wait(tenon::after(200ms));  // a fresh process's page faults are no part of waiting
  std::uint64_t least = ~std::uint64_t{0};
  for (int i = 0; i < most_tries && least > allowed; ++i) {
    const auto began = tenon::monotonic_now(), used = tenon::processor_time();
    wait(tenon::after(span));
    const auto share = (tenon::processor_time() - used) * 1'000'000 / (tenon::monotonic_now() - began);
    least = std::min(least, static_cast<std::uint64_t>(share));
  }
  return least;
}

std::vector<Row> idle(const Options& options) {
  const ScratchDomain domain("life");
  const tenon::Life member = tenon::Life::join(*domain).or_throw();
  const auto span = options.short_form ? 2500ms : 10000ms;
  const auto allowed = options.short_form ? static_cast<std::uint64_t>(short_form_allowance * thousandth) : thousandth;
  std::deque<Actor> waiters;
  for (const Waits how : {Waits::on_a_peer, Waits::on_a_roster, Waits::on_a_watched_roster, Waits::barely}) {
    waiters.emplace_back([&, how](const Actor::Stage& stage) {
      stage.say(wait_and_measure(domain, member.token(), how, span, allowed));
    });
  }
  std::vector<Row> rows;
  std::size_t next = 0;
  const auto text_of_share = [&](std::uint64_t share) {
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), "%.3f%% of a core over %.1f s", static_cast<double>(share) / 1e4,
                  std::chrono::duration<double>(span).count());
    return std::string(text.data());
  };
  const auto answer = [&] { return waiters[next++].next(most_tries * span + 30s); };
  for (const char* what : {"waiting for one death", "waiting on a Roster", "waiting on a Roster that also looks"}) {
    const std::uint64_t share = answer();
    Row row{.what = what, .expected = options.short_form ? "at most 0.4% of a core" : "at most 0.1% of a core"};
    row.seen = share <= allowed ? row.expected : "more";
    row.remark = text_of_share(share);
    rows.push_back(judged(std::move(row)));
  }
  Row bare{.what = "one that polls and looks at a lock, bare", .expected = "for comparison"};
  bare.seen = bare.expected;
  bare.remark = text_of_share(answer());
  rows.push_back(judged(std::move(bare)));
  return rows;
}

std::vector<Row> crash_cycles(const Options& options) {
  const int cycles = options.short_form ? 1000 : 10'000;
  Row row{.what = std::to_string(cycles) + " times join and crash",
          .expected = "names and descriptors as at the start"};
  const ScratchDomain domain("life");
  const tenon::Life survivor = tenon::Life::join(*domain).or_throw();
  const std::size_t names = domain.names().size();
  const std::size_t descriptors = tenon::procfs::descriptors(::getpid()).or_throw().size();
  std::size_t most = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    auto crashing = tenon::spawn([&] {
      const tenon::Life life = tenon::Life::join(*domain).or_throw();
      ::_exit(0);
      return 0;
    });
    std::move(crashing).or_throw().wait(tenon::never).or_throw();
    most = cycle % 100 == 0 ? std::max(most, domain.names().size()) : most;
  }
  tenon::sweep(*domain).or_throw();
  const bool same =
      domain.names().size() == names && tenon::procfs::descriptors(::getpid()).or_throw().size() == descriptors;
  row.seen = same ? row.expected : "more than at the start";
  row.remark = "at most " + std::to_string(most) + " names at a time, the survivor's among them";
  return {judged(std::move(row))};
}

}  // namespace

std::vector<Case> cost_cases() { return {{"idle", idle}, {"cycles", crash_cycles}}; }

}  // namespace life_table
