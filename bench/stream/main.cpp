// stream: what a stream reaches of a bare ring of bytes, and how it stands beside a pipe.
#include <harness/command_line.hpp>
#include <stream/row.hpp>
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
  const std::vector<std::size_t> sizes = {64, 4 << 10, 1 << 20};
  auto rows = streams::rows_of(sizes, tenon::Waiting::spin);
  std::ranges::move(streams::rows_of(sizes, tenon::Waiting::adaptive), std::back_inserter(rows));
  std::ranges::stable_sort(rows, {}, &topics::Row::group);
  std::erase_if(rows, [&](const topics::Row& row) { return !harness::selected(title_of(row), options.names); });
  return rows;
}

int run(const Options& options) {
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  const topics::DomainsOfRun domains;
  const auto rows = chosen_rows(options);
  if (rows.empty()) {
    fmt::print(stderr, "stream: no row has such a name; stream --list tells them\n");
    return 2;
  }
  if (options.list) {
    std::ranges::for_each(rows, [](const topics::Row& row) { fmt::print("{}\n", title_of(row)); });
    return 0;
  }
  auto run = topics::Run::start(extent).or_throw();
  topics::Report report{.environment = environment(run.clock()), .rows = {}, .idle = {}, .subject = "stream"};
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
      "Streams beside a bare ring of bytes and a pipe, in pairs of blocks.\n\n"
      "Example: stream --quick 'one way, 64 B'");
  Options options;
  app.add_option("NAME", options.names, "Only rows whose group, name or options contain one of these");
  app.add_flag("--quick", options.quick, "Fewer blocks");
  app.add_flag("--list", options.list, "Print the rows and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  return harness::run_program("stream", app, argc, argv, [&] { return run(options); });
}
