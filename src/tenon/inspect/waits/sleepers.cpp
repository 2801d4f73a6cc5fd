#include <tenon/inspect/waits/sleepers.hpp>

#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <sched.h>
#include <unistd.h>

namespace tenon::inspect {

namespace {

std::string path_of(pid_t pid, pid_t thread, const char* file) {
  return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/" + file;
}

Result<procfs::Process> standing_of(pid_t pid, pid_t thread) {
  return procfs::text(path_of(pid, thread, "stat")).and_then([](const std::string& line) {
    return procfs::parse_stat(line);
  });
}

std::optional<std::uint64_t> switches_of(pid_t pid, pid_t thread) {
  const auto status = procfs::text(path_of(pid, thread, "status"));
  return status ? procfs::number_of(*status, "voluntary_ctxt_switches") : std::nullopt;
}

// Milliseconds of the scheduler's own clock.
std::optional<double> last_run(const std::string& path) {
  const auto text = procfs::text(path);
  const auto value = text ? procfs::field(*text, "se.exec_start") : std::nullopt;
  return value ? std::optional(std::strtod(std::string(*value).c_str(), nullptr)) : std::nullopt;
}

// Outcomes: not_found. Failures: permission_denied.
Result<std::optional<Sleeper>> look_at(pid_t pid, pid_t thread, const procfs::Process& standing) {
  if (standing.state != 'S') {
    return std::optional<Sleeper>();
  }
  const auto call = call_of(pid, thread);
  if (!call) {
    return fail(call.error());
  }
  const auto switches = *call ? switches_of(pid, thread) : std::nullopt;
  return switches ? std::optional(Sleeper{.pid = pid,
                                          .thread = thread,
                                          .start_time = standing.start_time,
                                          .switches = *switches,
                                          .call = **call})
                  : std::nullopt;
}

std::optional<Sleeper> second_look(const Sleeper& sleeper) {
  const auto standing = standing_of(sleeper.pid, sleeper.thread);
  if (!standing || standing->start_time != sleeper.start_time) {
    return std::nullopt;
  }
  const auto now = look_at(sleeper.pid, sleeper.thread, *standing);
  return now ? *now : std::nullopt;
}

bool is_living(char state) noexcept { return state != 'Z' && state != 'X'; }

// Where the main thread alone has ended, another tells how the process stands.
void add(Standing& standing, pid_t pid, pid_t thread, char state) {
  const bool lives = is_living(state);
  const bool unknown = standing.state == '?' || !is_living(standing.state);
  standing.state = unknown || (lives && thread == pid) ? state : standing.state;
  standing.threads += lives ? 1 : 0;
}

}  // namespace

Standing standing_of(pid_t pid) {
  Standing standing;
  for (const pid_t thread : threads_of(pid)) {
    if (const auto how = standing_of(pid, thread)) {
      add(standing, pid, thread, how->state);
    }
  }
  return standing;
}

pid_t living_thread(pid_t pid) {
  const auto threads = threads_of(pid);
  const auto found = std::ranges::find_if(threads, [&](pid_t thread) {
    const auto how = standing_of(pid, thread);
    return how && is_living(how->state);
  });
  return found == threads.end() ? pid : *found;
}

pid_t tracer_of(pid_t pid) {
  const auto status = procfs::text("/proc/" + std::to_string(pid) + "/status");
  const auto tracer = status ? procfs::number_of(*status, "TracerPid") : std::nullopt;
  return static_cast<pid_t>(tracer.value_or(0));
}

std::optional<Call> parse_call(std::string_view line) {
  Call call{};
  std::size_t end = line.find(' ');
  if (end == std::string_view::npos || std::from_chars(line.data(), line.data() + end, call.number).ec != std::errc() ||
      call.number < 0) {
    return std::nullopt;
  }
  for (std::uint64_t& argument : call.arguments) {
    line.remove_prefix(std::min(end + 1, line.size()));
    end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    if (!word.starts_with("0x") ||
        std::from_chars(word.data() + 2, word.data() + word.size(), argument, 16).ec != std::errc()) {
      return std::nullopt;
    }
  }
  // A thread of the kernel's own has called nothing: it has no address to come back to.
  const bool is_kernel = line.ends_with(" 0x0\n") || line.ends_with(" 0x0");
  return is_kernel ? std::nullopt : std::optional(call);
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  const auto names = names_in("/proc/" + std::to_string(pid) + "/task");
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    threads.push_back(static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10)));
  }
  return threads;
}

Result<std::optional<Call>> call_of(pid_t pid, pid_t thread) {
  return procfs::text(path_of(pid, thread, "syscall")).transform([](const std::string& line) {
    return parse_call(line);
  });
}

Sleepers Sleepers::take(std::vector<std::string>& unseen) {
  Sleepers found;
  for (const pid_t pid : procfs::all_processes()) {
    Standing standing;
    bool seen = true;
    for (const pid_t thread : pid == ::getpid() ? std::vector<pid_t>() : threads_of(pid)) {
      const auto how = standing_of(pid, thread);
      if (!how) {
        continue;
      }
      add(standing, pid, thread, how->state);
      const auto sleeper = look_at(pid, thread, *how);
      seen = seen && (sleeper || sleeper.failed_with(Errc::not_found));
      if (sleeper && *sleeper) {
        found.all.push_back(**sleeper);
      }
    }
    found.closed += seen ? 0 : 1;
    found.processes[pid] = standing;
  }
  if (found.closed > 0) {
    unseen.push_back("for what " + std::to_string(found.closed) +
                     (found.closed == 1 ? " process waits" : " processes wait") +
                     ", for want of the right to trace them: that is their own user's, or CAP_SYS_PTRACE");
  }
  return found;
}

bool is_still_asleep(const Sleeper& sleeper) {
  const auto now = second_look(sleeper);
  return now && now->call == sleeper.call && now->switches == sleeper.switches;
}

bool is_asleep_again(const Sleeper& sleeper) {
  const auto now = second_look(sleeper);
  return now && now->call == sleeper.call;
}

std::uint64_t handled_signals(pid_t pid) {
  const auto status = procfs::text("/proc/" + std::to_string(pid) + "/status");
  const auto handled = status ? procfs::number_of(*status, "SigCgt", 16) : std::nullopt;
  return handled.value_or(0);
}

// Its clock stands beside CLOCK_MONOTONIC wherever time is not stolen from the machine; how far, our own thread tells,
// which ran this very moment.
std::optional<std::int64_t> asleep_since(const Sleeper& sleeper) {
  const auto theirs = last_run(path_of(sleeper.pid, sleeper.thread, "sched"));
  ::sched_yield();
  const auto ours = last_run("/proc/thread-self/sched");
  if (!theirs || !ours) {
    return std::nullopt;
  }
  constexpr double nanoseconds = 1e6;
  const std::int64_t asleep = std::llround((*ours - *theirs) * nanoseconds);
  return monotonic_now() - std::max<std::int64_t>(asleep, 0);
}

}  // namespace tenon::inspect
