/// tenon bench [WHAT…] [--size LIST] [--wait WAY] [--pattern PATTERN] [--depth LIST] [--backlog N] [--quick] [--json
/// FILE]
/// [--compare OLD.json]
#include <cli/bench_plan.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>

#include <cells/report.hpp>
#include <harness/command_line.hpp>
#include <topic/start_domain.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

namespace tenon::cli {

namespace {

struct BenchOptions {
  BenchChoice choice;
  std::string json;
  std::string old;
};

// Asked before the measurement, which takes minutes.
std::string place_to_write(const std::string& path) {
  std::error_code unknown;
  const bool is_there = std::filesystem::exists(path, unknown);
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  const std::filesystem::path place = is_there            ? std::filesystem::path(path)
                                      : directory.empty() ? std::filesystem::path(".")
                                                          : directory;
  if (path.empty() || std::filesystem::is_directory(path, unknown)) {
    return "cannot write \"" + path + "\": it is no file's name";
  }
  return ::access(place.c_str(), W_OK) == 0 ? "" : "cannot write " + path + ": " + std::strerror(errno);
}

Result<std::vector<cells::Told>> old_run(const std::string& path) {
  std::error_code unknown;
  std::ifstream file;
  if (!std::filesystem::is_directory(path, unknown)) {
    file.open(path);
  }
  if (!file.is_open()) {
    return fail(Error(Errc::not_found).on(path).because("it cannot be read"));
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto told = cells::told(text);
  return told ? std::move(told) : fail(std::move(told.error()).on(path));
}

// An interrupt ends it at the next row, so that nothing of what the rows have opened stays behind.
Result<cells::Report> measure(const BenchChoice& choice) try {
  (void)interrupt();
  const topics::DomainsOfRun domains;
  cells::Effort effort = choice.quick ? cells::quick : cells::Effort{};
  effort.repeats = choice.repeats > 0 ? choice.repeats : effort.repeats;
  auto session = cells::Session::start(effort);
  if (!session) {
    return fail(std::move(session.error()));
  }
  cells::Report report{.environment = harness::environment(session->clock()),
                       .self_test = {},
                       .places = session->places().description(),
                       .effort = effort,
                       .limits = {},
                       .rows = {}};
  auto tested = session->test_itself([&] { return !choice.anyway && !interrupt().requested(); });
  if (!tested) {
    return fail(std::move(tested.error()));
  }
  if (interrupt().requested()) {
    return fail(Error(Errc::stopped).because("nothing was reported"));
  }
  report.self_test = *tested;
  if (!tested->refusal.empty() && !choice.anyway) {
    return fail(Error(Errc::not_supported)
                    .because(tested->refusal + "; try again when less is running, or --anyway for what it is worth"));
  }
  std::optional<harness::Progress> progress;
  const auto tell = [&](const std::string& what, std::size_t done, std::size_t all) {
    if (interrupt().requested()) {
      throw Failure(Error(Errc::stopped).because("nothing was reported"));
    }
    if (done == 0) {
      progress.emplace(all);
    }
    progress->next(what);
  };
  if (choice.with_limits()) {
    report.limits = session->measure_limits(tell);
  }
  report.rows = session->measure(choice.mechanisms(), choice.cells(session->places()), tell);
  return report;
} catch (const Failure& failure) {
  return fail(failure.error());
}

bool any_slower(const std::vector<cells::Compared>& rows) {
  return std::ranges::any_of(rows, [](const cells::Compared& row) { return row.verdict == cells::Verdict::slower; });
}

int run(const BenchOptions& options) {
  std::optional<std::vector<cells::Told>> before;
  if (!options.old.empty()) {  // before the measurement, which takes minutes
    auto told = old_run(options.old);
    if (!told) {
      return report("bench", told.error());
    }
    before = std::move(*told);
  }
  auto measured = measure(options.choice);
  if (!measured) {
    return report("bench", measured.error());
  }
  if (measured->rows.empty() && measured->limits.empty()) {
    return report("bench", Error(Errc::not_supported).because("nothing of what was named can do that"));
  }
  fmt::print("{}", cells::table_of(*measured));
  if (!options.json.empty()) {
    if (auto written = harness::write_file(options.json, cells::json_of(*measured)); !written) {
      return report("bench", written.error());
    }
  }
  const bool failed_rows = std::ranges::any_of(measured->rows, &cells::Row::failed);
  if (before) {
    const auto compared = cells::compare(*before, cells::told(*measured));
    fmt::print("\n{}", cells::table_of(compared));
    return any_slower(compared) || failed_rows ? failed : succeeded;
  }
  return failed_rows ? failed : succeeded;
}

}  // namespace

void add_bench(CLI::App& program, int& code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* bench = program.add_subcommand("bench", "Measure every mechanism beside what this machine can do at best");
  add_bench_choice(*bench, options->choice);
  bench->add_option("--json", options->json, "Write the figures to this file as well")
      ->type_name("FILE")
      ->check(place_to_write);
  bench
      ->add_option("--compare", options->old,
                   "Say what is faster or slower than in this file; exit 1 if anything is slower")
      ->type_name("OLD.json");
  bench->footer(
      "Example:\n  tenon bench --quick pipe unix_stream topic --size 64,64KiB\n"
      "Two processes or more do the same work over each: who sends writes every byte, who receives reads and checks "
      "it. \"× limit\" is the time beside the best that this machine can do, measured in turns with it.");
  bench->callback([options, &code] {
    if (const std::string mistake = options->choice.mistake(); !mistake.empty()) {
      throw CLI::ValidationError("bench", mistake);
    }
    code = run(*options);
  });
}

}  // namespace tenon::cli
