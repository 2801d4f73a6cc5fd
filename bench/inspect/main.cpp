// inspect: how long `tenon ls` takes on a machine with many objects and processes, beside lsof(8), and with --top how
// much of a core `tenon top` uses there.
#include <inspect/crowd.hpp>
#include <inspect/top_share.hpp>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

struct Tool {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> took = {};  // milliseconds
  std::vector<double> used = {};  // of processors
};

struct Cost {
  double took;
  double used;
};

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

// From start to end, with its output thrown away; nothing if it did not end with 0 or, as lsof does where it could not
// see everything, with 1.
std::optional<Cost> run(const Tool& tool) {
  std::vector<char*> arguments;
  for (const std::string& word : tool.command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // posix_spawn changes none
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const auto began = Clock::now();
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage used{};
  while (error == 0 && ::wait4(child, &status, 0, &used) == -1 && errno == EINTR) {
  }
  const bool good = error == 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  const double took = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
  return good ? std::optional(Cost{.took = took, .used = milliseconds(used.ru_utime) + milliseconds(used.ru_stime)})
              : std::nullopt;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// In turns, so that whatever slows the machine down slows all of them.
int measure(std::vector<Tool> tools, int turns) {
  for (int turn = 0; turn < turns + 1; ++turn) {
    for (Tool& tool : tools) {
      const auto cost = run(tool);
      if (!cost) {
        fmt::print(stderr, "inspect: {} did not run\n", tool.command.front());
        return 1;
      }
      if (turn > 0) {  // the first one fills caches
        tool.took.push_back(cost->took);
        tool.used.push_back(cost->used);
      }
    }
  }
  const double beside = median(tools.front().took);
  const double used_beside = median(tools.front().used);
  fmt::print("{:<16} {:>10} {:>10} {:>10} {:>10} {:>14} {:>10}\n", "", "median ms", "least ms", "most ms", "of lsof's",
             "processor ms", "of lsof's");
  for (const Tool& tool : tools) {
    const auto [least, most] = std::ranges::minmax(tool.took);
    fmt::print("{:<16} {:>10.1f} {:>10.1f} {:>10.1f} {:>9.0f}% {:>14.1f} {:>9.0f}%\n", tool.name, median(tool.took),
               least, most, 100 * median(tool.took) / beside, median(tool.used), 100 * median(tool.used) / used_beside);
  }
  return 0;
}

int measure_top(const std::string& tenon, double seconds) {
  const auto share = inspections::share_of_top(tenon, seconds);
  if (!share) {
    fmt::print(stderr, "inspect: tenon top did not run\n");
    return 1;
  }
  fmt::print("tenon top, a look a second: {:.2f}% of a core in {} s\n", 100 * *share, seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t processes = 500;
  int turns = 9;
  CLI::App program("How long tenon ls takes beside lsof, in a machine of its own.\n\nExample: inspect --processes 100");
  program.add_option("--processes", processes, fmt::format("Each holds {} objects", inspections::objects_of_each))
      ->capture_default_str();
  program.add_option("--turns", turns, "Of all tools, one after the other")->capture_default_str();
  double top = 0;
  program.add_option("--top", top,
                     "Seconds in which tenon top is measured, instead of ls; --processes 50 are 1,000 objects");
  CLI11_PARSE(program, argc, argv);
  const std::string tenon = TENON_PROGRAM;
  return inspections::in_crowd(processes, [&] {
    fmt::print("{} objects, {} processes\n", processes * inspections::objects_of_each, processes);
    if (top > 0) {
      const int done = measure_top(tenon, top);
      std::fflush(stdout);
      return done;
    }
    const int done = measure({{.name = "lsof -nP", .command = {"lsof", "-nP"}},
                              {.name = "tenon ls", .command = {tenon, "ls"}},
                              {.name = "tenon ls --json", .command = {tenon, "ls", "--json"}}},
                             turns);
    std::fflush(stdout);  // it ends without more ado
    return done;
  });
}
