/// tenon tour [NAME…] [--json]
#include <tenon/os/stop.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/tour/run.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace tenon::cli {

namespace {

struct TourOptions {
  std::vector<std::string> names;
  bool json = false;
};

std::string all_names() {
  std::string names;
  for (const TourEntry& entry : tour_table()) {
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  return names;
}

// The documents know some programs by the name of their binary.
bool goes_by(const TourEntry& entry, const std::string& name) {
  return entry.name == name ||
         std::ranges::any_of(entry.programs, [&](const TourProgram& program) { return program.binary == name; });
}

// The entries asked for, all if none is named. Failures: invalid_argument.
Result<std::vector<const TourEntry*>> chosen(const std::vector<std::string>& names) {
  std::vector<const TourEntry*> entries;
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(tour_table(), [&](const TourEntry& entry) { return goes_by(entry, name); });
    if (found == tour_table().end()) {
      return fail(Error(Errc::invalid_argument).on(name).because("the tour has " + all_names()));
    }
    entries.push_back(&*found);
  }
  if (names.empty()) {
    for (const TourEntry& entry : tour_table()) {
      entries.push_back(&entry);
    }
  }
  return entries;
}

void print(const TourEntry& entry, const TourOutcome& outcome) {
  fmt::print("{} {:<16} {:<6} {:>5} ms\n", outcome.passed ? "ok  " : "FAIL", entry.name, entry.mechanism,
             outcome.milliseconds);
  std::size_t at = 0;
  while (at < outcome.output.size()) {
    const std::size_t end = std::min(outcome.output.find('\n', at), outcome.output.size());
    fmt::print("       {}\n", outcome.output.substr(at, end - at));
    at = end + 1;
  }
  if (!outcome.passed) {
    fmt::print("       -> {}\n", outcome.problem);
  }
  std::fflush(stdout);
}

int tour(const TourOptions& options) {
  const std::string programs = example_directory();
  if (programs.empty()) {
    return report("tour", Error(Errc::not_found).because("the example programs are not installed beside this program"));
  }
  auto entries = chosen(options.names);
  if (!entries) {
    return report("tour", entries.error());
  }
  bool all_passed = true;
  nlohmann::json rows = nlohmann::json::array();
  for (const TourEntry* entry : *entries) {
    const TourOutcome outcome = run_entry(*entry, programs);
    if (stop_requested(never.or_stop(interrupt()))) {
      return report("tour", Error(Errc::stopped));  // what was killed for that has not failed
    }
    all_passed = all_passed && outcome.passed;
    rows.push_back({{"name", entry->name},
                    {"mechanism", entry->mechanism},
                    {"passed", outcome.passed},
                    {"problem", outcome.problem},
                    {"output", outcome.output},
                    {"milliseconds", outcome.milliseconds}});
    if (!options.json) {
      print(*entry, outcome);
    }
  }
  if (options.json) {
    fmt::print("{}\n", rows.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return all_passed ? succeeded : failed;
}

}  // namespace

void add_tour(CLI::App& program, int& code) {
  auto options = std::make_shared<TourOptions>();
  CLI::App* command =
      program.add_subcommand("tour", "Run the classic programs of inter-process communication, made right");
  command->add_option("NAME", options->names, "Which: " + all_names());
  command->add_flag("--json", options->json,
                    "Print an array of {name, mechanism, passed, problem, output, milliseconds}");
  command->footer("Example:\n  tenon tour ipc-pipe");
  command->callback([options, &code] { code = tour(*options); });
}

}  // namespace tenon::cli
