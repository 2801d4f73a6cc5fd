// A process dies with much private memory, which the kernel takes down before it closes the files.
#include "actor.hpp"
#include "observer.hpp"

#include <tenon/os/clock.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace life_table {

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Small pages, which take the kernel longest.
void touch(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || (::madvise(memory, bytes, MADV_NOHUGEPAGE) == -1 && errno != EINVAL)) {
    ::_exit(3);
  }
  std::memset(memory, 1, bytes);
}

void touch_and_free(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) {
    std::memset(memory, 1, bytes);
    ::munmap(memory, bytes);
  }
}

std::uint64_t available_bytes() {
  const std::string text = tenon::procfs::text("/proc/meminfo").or_throw();
  const std::size_t at = text.find("MemAvailable:");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + 13)) * 1024;
}

// How much longer work takes than the processor needs for it: 1 on a quiet machine.
double crowding() {
  timespec wall{}, used{}, wall_end{}, used_end{};
  ::clock_gettime(CLOCK_MONOTONIC, &wall);
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  touch_and_free(64 * mebibyte);
  ::clock_gettime(CLOCK_MONOTONIC, &wall_end);
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used_end);
  const auto span = [](const timespec& from, const timespec& to) {
    return static_cast<double>(to.tv_sec - from.tv_sec) + static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e9;
  };
  return span(wall, wall_end) / std::max(span(used, used_end), 1e-9);
}

/// One death, seen by life and, as the measure of what the kernel takes, by a pidfd.
struct Death {
  std::string seen;
  double noticed;
  double by_pidfd;
  bool quiet;  ///< nobody else wanted the processors before and after
};

Death die_once(const ScratchDomain& domain, std::size_t bytes) {
  constexpr double most_crowding = 1.2;
  Actor member([&](const Actor::Stage& stage) {
    const tenon::Life life = tenon::Life::join(*domain).or_throw();
    touch(bytes);
    stage.say(life.token().value());
    stage.await_cue();
  });
  Observer observer(domain, tenon::Token::from(member.next()));
  const bool quiet_before = crowding() < most_crowding;
  std::vector<double> notice;
  double by_pidfd = 0;
  const auto start = tenon::monotonic_now();
  std::jthread other([&] {
    (void)tenon::wait_ready(member.end(), tenon::Ready::reading, tenon::never);
    by_pidfd = static_cast<double>(tenon::monotonic_now() - start) / 1e6;
  });
  member.signal(SIGKILL);
  std::string seen = observer.end(start, notice);
  other.join();
  const bool quiet = quiet_before && crowding() < most_crowding;
  return {.seen = seen, .noticed = notice.empty() ? 0 : notice.front(), .by_pidfd = by_pidfd, .quiet = quiet};
}

// Trials while others use the processors do not count, unless there is no end of them.
std::vector<Death> die_often(const ScratchDomain& domain, std::size_t bytes, const Options& options) {
  const std::size_t wanted = options.short_form ? 3 : 9;
  const auto until = tenon::after(options.short_form ? std::chrono::seconds(4) : std::chrono::seconds(60));
  std::vector<Death> quiet, all;
  while (quiet.size() < wanted && (all.empty() || !until.passed())) {
    const Death death = die_once(domain, bytes);
    all.push_back(death);
    if (death.quiet) {
      quiet.push_back(death);
    }
    tenon::sweep(*domain).or_throw();
  }
  return quiet.size() == wanted ? quiet : all;
}

std::vector<Row> die_with(std::size_t mebibytes, double limit, const Options& options) {
  const std::string size =
      mebibytes < 1024 ? std::to_string(mebibytes) + " MB" : std::to_string(mebibytes / 1024) + " GB";
  Row row{.what = "killed with " + size + " of private memory", .expected = "died", .notice_limit = limit};
  if (available_bytes() < (mebibytes + 512) * mebibyte) {
    return {skipped(std::move(row), "the machine has not that much memory free")};
  }
  const ScratchDomain domain("life");
  const std::vector<Death> deaths = die_often(domain, mebibytes * mebibyte, options);
  std::vector<double> by_pidfd;
  row.seen = row.expected;
  for (const Death& death : deaths) {
    row.seen = death.seen == row.expected ? row.seen : death.seen;
    row.notice.push_back(death.noticed);
    by_pidfd.push_back(death.by_pidfd);
  }
  const auto quiet = std::ranges::count_if(deaths, &Death::quiet);
  std::array<char, 128> text;
  std::snprintf(text.data(), text.size(), "a pidfd tells after %.1f ms; %td of %zu trials undisturbed",
                median(by_pidfd), quiet, deaths.size());
  row.remark = text.data();
  Row result = judged(row);
  const bool disturbed = static_cast<std::size_t>(quiet) < deaths.size();
  if (result.verdict == Verdict::wrong && disturbed && result.seen == result.expected) {
    return {skipped(std::move(row), "the processors were busy otherwise; " + row.remark)};
  }
  return {result};
}

}  // namespace

std::vector<Case> memory_cases() {
  return {
      {"256 MB", [](const Options& options) { return die_with(256, 100, options); }},
      {"1 GB", [](const Options& options) { return die_with(1024, 100, options); }},
      {"3 GB", [](const Options& options) { return die_with(3072, 300, options); }},
  };
}

}  // namespace life_table
