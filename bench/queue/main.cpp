// queue: how a queue stands beside the kernel's and Boost's.
#include <harness/command_line.hpp>
#include <queue/row.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

namespace {

struct Options {
  std::vector<std::string> names;
  std::string json;
  bool quick = false;
  bool list = false;
};

std::string title_of(const topics::Row& row) { return fmt::format("{}: {}, {}", row.group, row.name, row.options); }

std::vector<topics::Row> chosen_rows(const Options& options) {
  auto rows = queues::rows_of({64});
  std::erase_if(rows, [&](const topics::Row& row) { return !harness::selected(title_of(row), options.names); });
  return rows;
}

int run(const Options& options) {
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  const topics::DomainsOfRun domains;
  const auto rows = chosen_rows(options);
  if (rows.empty()) {
    fmt::print(stderr, "queue: no row has such a name; queue --list tells them\n");
    return 2;
  }
  if (options.list) {
    std::ranges::for_each(rows, [](const topics::Row& row) { fmt::print("{}\n", title_of(row)); });
    return 0;
  }
  auto run = topics::Run::start(extent).or_throw();
  topics::Report report{.environment = environment(run.clock()), .rows = {}, .idle = {}, .subject = "queue"};
  harness::Progress progress(rows.size());
  for (const topics::Row& row : rows) {
    progress.next(title_of(row));
    report.rows.push_back(run.measure(row));
  }
  fmt::print("{}", table_of(report));
  if (!options.json.empty()) {
    harness::write_file(options.json, json_of(report)).or_throw();
  }
  return std::ranges::any_of(report.rows, &topics::MeasuredRow::failed) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Queues beside the kernel's and Boost's, in pairs of blocks.\n\n"
      "Example: queue --quick 'there and back'");
  Options options;
  app.add_option("NAME", options.names, "Only rows whose group, name or options contain one of these");
  app.add_flag("--quick", options.quick, "Fewer blocks");
  app.add_flag("--list", options.list, "Print the rows and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  return harness::run_program("queue", app, argc, argv, [&] { return run(options); });
}
