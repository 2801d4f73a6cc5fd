// kill_table_LEVEL: the cases of this folder, compiled with one level of optimisation, under the kill harness.
// Exit code 1 if a case is not safe, a control passes, or nothing was killed. `kill_table` runs all levels.
#include "cases.hpp"

#include <kit/kill_harness.hpp>
#include <kit/traced_process.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace {

struct Command {
  kit::KillOptions options;
  std::string only;
  std::string json;
  unsigned ways = kill_cases::everywhere | kill_cases::copies | kill_cases::rivals | kill_cases::pairs |
                  kill_cases::twice | kill_cases::many;
  bool list = false;
  bool valid = true;
};

constexpr const char* usage =
    "usage: kill_table [--list] [--only NAME] [--way WAY] [--stride N] [--points N] [--pairs N] [--seconds N]\n"
    "                  [--seed N] [--json FILE] [--without-kills]\n"
    "  --only NAME      cases whose name contains NAME\n"
    "  --way WAY        of what a case is put through, this alone: kill, copy, preempt, recovery or soak\n"
    "  --stride N       of instructions that change nothing, try every N-th\n"
    "  --points N       of the points that are left, draw N (all)\n"
    "  --pairs N        how many pairs, schedules and random kills are drawn where they are drawn (1000)\n"
    "  --seconds N      at most so long for the trials of each line; it is no proof if less than a quarter was tried\n"
    "  --seed N         what is drawn, and in which order things are tried (1)\n"
    "  --json FILE      adds each line as a JSON object to FILE\n"
    "  --without-kills  takes the kills out; the table must then say that nothing was tried\n"
    "example: kill_table --only mutex --stride 10\n";

// As the table's column of modes calls them; 0: there is none.
unsigned way_named(std::string_view name) {
  const std::map<std::string_view, unsigned> ways = {{"kill", kill_cases::everywhere},
                                                     {"copy", kill_cases::copies},
                                                     {"preempt", kill_cases::rivals | kill_cases::pairs},
                                                     {"recovery", kill_cases::twice},
                                                     {"soak", kill_cases::many}};
  const auto found = ways.find(name);
  return found == ways.end() ? 0 : found->second;
}

Command parse(int count, char** arguments) {
  Command command;
  const std::map<std::string_view, void (*)(Command&, const char*)> with_value = {
      {"--only", [](Command& c, const char* text) { c.only = text; }},
      {"--way", [](Command& c, const char* text) { c.ways = way_named(text); }},
      {"--json", [](Command& c, const char* text) { c.json = text; }},
      {"--stride", [](Command& c, const char* text) { c.options.stride = std::strtoul(text, nullptr, 10); }},
      {"--points", [](Command& c, const char* text) { c.options.most_points = std::strtoul(text, nullptr, 10); }},
      {"--pairs", [](Command& c, const char* text) { c.options.samples = std::strtoul(text, nullptr, 10); }},
      {"--seconds", [](Command& c, const char* text) { c.options.seconds = std::atof(text); }},
      {"--seed", [](Command& c, const char* text) { c.options.seed = std::strtoul(text, nullptr, 10); }},
  };
  for (int i = 1; i < count; ++i) {
    const auto option = with_value.find(arguments[i]);
    if (option != with_value.end() && i + 1 < count) {
      option->second(command, arguments[++i]);
    } else if (std::string_view(arguments[i]) == "--list") {
      command.list = true;
    } else if (std::string_view(arguments[i]) == "--without-kills") {
      command.options.kills = false;
    } else {
      command.valid = false;
    }
  }
  command.valid = command.valid && command.ways != 0 && command.options.stride > 0 && command.options.most_points > 0;
  return command;
}

// Each way on its own would step through the operation once more.
constexpr unsigned ways_of_points = kill_cases::everywhere | kill_cases::rivals | kill_cases::pairs | kill_cases::twice;

std::vector<kit::KillReport> run(const kill_cases::Entry& entry, unsigned ways, kit::KillOptions options) {
  ways &= entry.ways;
  std::vector<kit::KillReport> reports;
  std::optional<kit::Recording> recording;
  if ((ways & ways_of_points) != 0) {
    recording = kit::record_operation(entry.which);
    options.recording = &*recording;
  }
  auto add = [&](unsigned way, auto* function) {
    if ((ways & way) == 0) {
      return;
    }
    kit::KillReport report = function(entry.which, options);
    // The recording may be of a path that the operation takes only now and then: where a signal woke it, say.
    auto undecided = [&] { return (report.clean() || report.control) && report.struck_at_all() && !report.in_place(); };
    for (int again = 0; again < 3 && undecided(); ++again) {
      kit::KillOptions anew = options;
      anew.recording = nullptr;
      report = function(entry.which, anew);
    }
    report.build = KILL_BUILD;
    reports.push_back(std::move(report));
  };
  add(kill_cases::everywhere, kit::kill_everywhere);
  add(kill_cases::copies, kit::recover_copies);
  add(kill_cases::rivals, kit::preempt_everywhere);
  add(kill_cases::pairs, kit::preempt_pairs);
  add(kill_cases::twice, kit::kill_during_recovery);
  add(kill_cases::many, kit::soak);
  return reports;
}

void add_lines(const std::string& file, const std::vector<kit::KillReport>& reports) {
  if (std::FILE* to = file.empty() ? nullptr : std::fopen(file.c_str(), "a")) {
    for (const kit::KillReport& report : reports) {
      std::fprintf(to, "%s\n", kit::json_line(report).c_str());
    }
    std::fclose(to);
  }
}

}  // namespace

int main(int count, char** arguments) {
  kit::without_random_addresses(arguments);
  const Command command = parse(count, arguments);
  if (!command.valid) {
    std::fputs(usage, stderr);
    return 2;
  }
  std::vector<kit::KillReport> reports;
  for (const kill_cases::Entry& entry : kill_cases::all_cases()) {
    if (entry.which.name.find(command.only) == std::string::npos) {
      continue;
    }
    if (command.list) {
      std::printf("%s%s\n", entry.which.name.c_str(), entry.which.control ? " (control)" : "");
      continue;
    }
    std::vector<kit::KillReport> of_case = run(entry, command.ways, command.options);
    add_lines(command.json, of_case);  // now: a long run may be ended before its table comes
    std::ranges::move(of_case, std::back_inserter(reports));
  }
  if (!command.list) {
    kit::print_table(stdout, reports);
    std::printf("seed %llu, stride %zu\n", static_cast<unsigned long long>(command.options.seed),
                command.options.stride);
  }
  const bool all = std::ranges::all_of(reports, &kit::KillReport::as_expected);
  return all && (command.list || !reports.empty()) ? 0 : 1;
}
