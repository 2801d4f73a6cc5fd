// Two hundred members, each with a Roster: more than a user has inotify instances by default.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <deque>
#include <new>
#include <type_traits>

namespace life_table {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t crowd = 200;

/// What one of them has seen. Written by it alone; read once it has ended.
struct Report {
  bool looks_by_itself;
  bool named_the_limit;
  std::size_t members;
  std::int64_t noticed;
  double share;  ///< of a core, while it waited
  tenon::Standing how;
};
struct Board {
  std::atomic<std::uint32_t> doomed_low;
  std::atomic<std::uint32_t> doomed_high;
  std::array<Report, crowd> reports;
};

void meet_all(tenon::Roster& roster) {
  const auto deadline = tenon::after(20s);
  while (roster.members().size() < crowd) {
    (void)roster.wait(deadline).or_throw();
  }
}

// Waits until one of them has gone, and notes when, how, and what the waiting cost.
void await_the_end_of_one(tenon::Roster& roster, Report& report) {
  const auto began = tenon::monotonic_now(), used = tenon::processor_time();
  const auto deadline = tenon::after(30s);
  while (true) {
    for (const tenon::Change& change : roster.wait(deadline).or_throw()) {
      if (change.now != tenon::Standing::alive) {
        report.noticed = tenon::monotonic_now();
        report.how = change.now;
        report.share =
            static_cast<double>(tenon::processor_time() - used) / static_cast<double>(report.noticed - began);
        return;
      }
    }
  }
}

void play_one_of_many(const ScratchDomain& domain, Report& report, const Actor::Stage& stage) {
  const tenon::Life life = tenon::Life::join(*domain).or_throw();
  auto roster = tenon::Roster::open(*domain).or_throw();
  report.looks_by_itself = roster.notice() != nullptr;
  report.named_the_limit = report.looks_by_itself && roster.notice()->limit() != nullptr &&
                           roster.notice()->limit()->name == "fs.inotify.max_user_instances";
  meet_all(roster);
  report.members = roster.members().size();
  stage.say(0);
  await_the_end_of_one(roster, report);
  stage.say(0);
  stage.await_cue();  // else the others would see this one go
}

struct Sums {
  std::size_t noticed = 0, by_themselves = 0, named = 0;
  std::vector<double> told = {}, looking = {}, share_told = {}, share_looking = {};
};

Sums sums_of(const Board& board, std::int64_t killed) {
  Sums sums;
  for (std::size_t i = 1; i < crowd; ++i) {
    const Report& report = board.reports[i];
    sums.noticed += report.members == crowd && report.how == tenon::Standing::died;
    sums.by_themselves += report.looks_by_itself;
    sums.named += report.named_the_limit;
    (report.looks_by_itself ? sums.share_looking : sums.share_told).push_back(report.share);
    (report.looks_by_itself ? sums.looking : sums.told).push_back(static_cast<double>(report.noticed - killed) / 1e6);
  }
  return sums;
}

std::string figures(const std::vector<double>& shares) {
  std::array<char, 96> text;
  const double most = shares.empty() ? 0 : *std::ranges::max_element(shares);
  std::snprintf(text.data(), text.size(), "in the median %.3f%%, at most %.3f%% of a core", median(shares) * 100,
                most * 100);
  return text.data();
}

std::vector<Row> rows_of(const Sums& sums) {
  const auto limit = tenon::procfs::number("/proc/sys/fs/inotify/max_user_instances").value_or(0);
  const std::string limit_text = "fs.inotify.max_user_instances " + std::to_string(limit);
  Row told{.what = "200 processes, each watching all",
           .expected = "199 met 199 others and saw one die",
           .notice = sums.told,
           .notice_limit = 100};
  told.seen = std::to_string(sums.noticed) + " met 199 others and saw one die";
  told.remark = std::to_string(sums.told.size()) + " are told by inotify: " + figures(sums.share_told);
  Row looking{.what = "those without an inotify instance",
              .expected = "all name the limit",
              .notice = sums.looking,
              .notice_limit = 100};
  looking.seen = sums.named == sums.by_themselves ? "all name the limit" : "not all name the limit";
  looking.remark = std::to_string(sums.by_themselves) + " look by themselves: " + figures(sums.share_looking);
  if (sums.by_themselves == 0) {
    return {judged(std::move(told)), skipped(std::move(looking), "no process lacks one: " + limit_text)};
  }
  looking.remark += "; " + limit_text;
  return {judged(std::move(told)), judged(std::move(looking))};
}

std::vector<Row> two_hundred(const Options& options) {
  const ScratchDomain domain("life");
  const auto memory = tenon::Mapping::shared_with_children(sizeof(Board)).or_throw();
  auto* board = new (memory.data()) Board();
  std::deque<Actor> members;
  for (std::size_t i = 0; i < crowd; ++i) {
    members.emplace_back([&](const Actor::Stage& stage) { play_one_of_many(domain, board->reports[i], stage); });
  }
  for (const Actor& member : members) {
    (void)member.next();
  }
  // The waiting that is measured.
  (void)tenon::sleep_until(tenon::after(options.short_form ? 2s : 10s));
  const auto killed = tenon::monotonic_now();
  members.front().signal(SIGKILL);
  for (std::size_t i = 1; i < crowd; ++i) {
    (void)members[i].next();
  }
  const auto rows = rows_of(sums_of(*board, killed));
  members.clear();
  tenon::sweep(*domain).or_throw();
  return rows;
}

}  // namespace

std::vector<Case> crowd_cases() { return {{"200 processes", two_hundred}}; }

}  // namespace life_table
