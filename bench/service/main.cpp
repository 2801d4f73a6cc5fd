// service: what a call takes beside a topic's message there and back.
#include <harness/command_line.hpp>
#include <service/calls.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

namespace {

using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> names;
  std::string json;
  bool quick = false;
  bool list = false;
};

std::string title_of(const topics::Row& row) { return fmt::format("{}, {}", row.name, row.options); }

topics::Report report_of(const std::vector<topics::Row>& rows, bool idle, limits::Extent extent) {
  auto run = topics::Run::start(extent).or_throw();
  topics::Report report{.environment = environment(run.clock()), .rows = {}, .idle = {}};
  harness::Progress progress(rows.size() + (idle ? 1 : 0));
  for (const topics::Row& row : rows) {
    progress.next(title_of(row));
    report.rows.push_back(run.measure(row));
  }
  if (idle) {
    const auto time = extent == limits::Extent::quick ? 2s : 10s;
    progress.next("idle");
    report.idle.push_back({.name = fmt::format("idle server: sleep, {} s", time.count()),
                           .seconds = static_cast<double>(time.count()),
                           .used = services::measure_idleness(tenon::Waiting::sleep, time).or_throw()});
  }
  return report;
}

int run(const Options& options) {
  const topics::DomainsOfRun domains;
  auto rows = services::all_rows();
  std::erase_if(rows, [&](const topics::Row& row) { return !harness::selected(title_of(row), options.names); });
  const bool idle = harness::selected("idle", options.names);
  if (options.list) {
    std::ranges::for_each(rows, [](const topics::Row& row) { fmt::print("{}\n", title_of(row)); });
    fmt::print("idle\n");
    return 0;
  }
  const auto report = report_of(rows, idle, options.quick ? limits::Extent::quick : limits::Extent::full);
  fmt::print("{}", table_of(report));
  if (!options.json.empty()) {
    harness::write_file(options.json, json_of(report)).or_throw();
  }
  return std::ranges::any_of(report.rows, &topics::MeasuredRow::failed) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Calls of a service beside a topic's messages there and back, in pairs of blocks.\n\n"
      "Example: service --quick '8 B'");
  Options options;
  app.add_option("NAME", options.names, "Only rows whose name or options contain one of these");
  app.add_flag("--quick", options.quick, "Fewer blocks, shorter waits");
  app.add_flag("--list", options.list, "Print the rows and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  return harness::run_program("service", app, argc, argv, [&] { return run(options); });
}
