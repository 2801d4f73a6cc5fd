#include <topic/program.hpp>

#include <harness/command_line.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace topics {

namespace {

using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> names;
  std::string json;
  bool quick = false;
  bool list = false;
};

struct Chosen {
  std::vector<Row> rows;
  std::vector<IdleCase> idle;
};

std::string title_of(const Row& row) { return fmt::format("{}: {}, {}", row.group, row.name, row.options); }

Chosen choose(const Program& program, const Options& options, limits::Extent extent) {
  Chosen chosen{.rows = program.rows(extent), .idle = program.idle};
  std::erase_if(chosen.rows, [&](const Row& row) { return !harness::selected(title_of(row), options.names); });
  std::erase_if(chosen.idle, [&](const IdleCase& idle) { return !harness::selected(idle.name, options.names); });
  return chosen;
}

Report report_of(const Program& program, const Chosen& chosen, limits::Extent extent) {
  auto run = Run::start(extent).or_throw();
  Report report{.environment = environment(run.clock()), .rows = {}, .idle = {}, .subject = program.name};
  harness::Progress progress(chosen.rows.size() + chosen.idle.size());
  for (const Row& row : chosen.rows) {
    progress.next(title_of(row));
    report.rows.push_back(run.measure(row));
  }
  const auto time = extent == limits::Extent::quick ? 2s : 10s;
  for (const IdleCase& idle : chosen.idle) {
    progress.next(idle.name);
    report.idle.push_back({.name = fmt::format("{}, {} s", idle.name, time.count()),
                           .seconds = static_cast<double>(time.count()),
                           .used = idle.measure(time).or_throw()});
  }
  return report;
}

int run(const Program& program, const Options& options) {
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  const DomainsOfRun domains;
  const Chosen chosen = choose(program, options, extent);
  if (chosen.rows.empty() && chosen.idle.empty()) {
    fmt::print(stderr, "{0}: no row has such a name; {0} --list tells them\n", program.name);
    return 2;
  }
  if (options.list) {
    std::ranges::for_each(chosen.rows, [](const Row& row) { fmt::print("{}\n", title_of(row)); });
    std::ranges::for_each(chosen.idle, [](const IdleCase& idle) { fmt::print("{}\n", idle.name); });
    return 0;
  }
  const Report report = report_of(program, chosen, extent);
  fmt::print("{}", table_of(report));
  if (!options.json.empty()) {
    harness::write_file(options.json, json_of(report)).or_throw();
  }
  return std::ranges::any_of(report.rows, &MeasuredRow::failed) ? 1 : 0;
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) {
  CLI::App app(program.about);
  Options options;
  app.add_option("NAME", options.names, "Only rows whose group, name or options contain one of these");
  app.add_flag("--quick", options.quick, "Fewer limits to choose from, fewer blocks, shorter waits");
  app.add_flag("--list", options.list, "Print the rows and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  return harness::run_program(program.name.c_str(), app, argc, argv, [&] { return run(program, options); });
}

}  // namespace topics
