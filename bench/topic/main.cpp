// topic: what a topic reaches of what the machine can do at best.
#include <harness/command_line.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace {

using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> names;
  std::string json;
  bool quick = false;
  bool list = false;
};

std::string title_of(const topics::Row& row) { return fmt::format("{}: {}, {}", row.group, row.name, row.options); }

struct Wait {
  const char* name;
  tenon::Waiting waiting;
};
constexpr Wait waits[] = {{"idle: adaptive", tenon::Waiting::adaptive}, {"idle: sleep", tenon::Waiting::sleep}};

topics::Report report_of(const std::vector<topics::Row>& chosen, const std::vector<Wait>& idle, limits::Extent extent) {
  auto run = topics::Run::start(extent).or_throw();
  topics::Report report{.environment = environment(run.clock()), .rows = {}, .idle = {}};
  harness::Progress progress(chosen.size() + idle.size());
  for (const topics::Row& row : chosen) {
    progress.next(title_of(row));
    report.rows.push_back(run.measure(row));
  }
  const auto time = extent == limits::Extent::quick ? 2s : 10s;
  for (const Wait& wait : idle) {
    progress.next(wait.name);
    report.idle.push_back({.name = fmt::format("{}, {} s", wait.name, time.count()),
                           .seconds = static_cast<double>(time.count()),
                           .used = topics::measure_idleness(wait.waiting, time).or_throw()});
  }
  return report;
}

int run(const Options& options) {
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  const topics::DomainsOfRun domains;
  auto rows = topics::all_rows(extent);
  std::erase_if(rows, [&](const topics::Row& row) { return !harness::selected(title_of(row), options.names); });
  std::vector<Wait> idle(std::begin(waits), std::end(waits));
  std::erase_if(idle, [&](const Wait& wait) { return !harness::selected(wait.name, options.names); });
  if (rows.empty() && idle.empty()) {
    fmt::print(stderr, "topic: no row has such a name; topic --list tells them\n");
    return 2;
  }
  if (options.list) {
    std::ranges::for_each(rows, [](const topics::Row& row) { fmt::print("{}\n", title_of(row)); });
    std::ranges::for_each(idle, [](const Wait& wait) { fmt::print("{}\n", wait.name); });
    return 0;
  }
  const topics::Report report = report_of(rows, idle, extent);
  fmt::print("{}", table_of(report));
  if (!options.json.empty()) {
    harness::write_file(options.json, json_of(report)).or_throw();
  }
  return std::ranges::any_of(report.rows, &topics::MeasuredRow::failed) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Topics beside what the machine can do at best, in pairs of blocks.\n\n"
      "Example: topic --quick 'there and back'");
  Options options;
  app.add_option("NAME", options.names, "Only rows whose group, name or options contain one of these");
  app.add_flag("--quick", options.quick, "Fewer limits to choose from, fewer blocks, shorter waits");
  app.add_flag("--list", options.list, "Print the rows and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  return harness::run_program("topic", app, argc, argv, [&] { return run(options); });
}
