// limits: what this machine can do at best, printed beside how it was measured.
#include <harness/command_line.hpp>
#include <limits/agreement.hpp>
#include <limits/report.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace {

constexpr double agreed_within = 0.10;
// A virtual machine's processors and its share of the caches change over seconds, and stay so for seconds: more blocks
// at one time would only show that time.
constexpr int rounds_of_full = 14;

struct Options {
  std::vector<std::string> names;
  std::vector<std::string> runs;
  std::string json;
  bool quick = false;
  bool list = false;
};

tenon::Result<std::string> text_of_file(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    return tenon::fail(tenon::os_failure("open", errno).on(path));
  }
  return text;
}

int compare_runs(const std::vector<std::string>& paths) {
  const std::string first = text_of_file(paths[0]).or_throw();
  const std::string second = text_of_file(paths[1]).or_throw();
  const limits::Agreement agreement = limits::agreement_of(first, second).or_throw();
  fmt::print("{}", table_of(agreement, agreed_within));
  return agreement.within(agreed_within) ? 0 : 1;
}

int list(const std::vector<limits::Limit>& chosen, const std::vector<limits::LimitPair>& pairs) {
  for (const limits::Limit& limit : chosen) {
    fmt::print("{}\n", limit.subject.name);
  }
  for (const limits::LimitPair& pair : pairs) {
    fmt::print("{}\n", pair.name);
  }
  return 0;
}

limits::Report report_of(limits::Extent extent, const std::vector<limits::Limit>& chosen,
                         const std::vector<limits::LimitPair>& pairs) {
  auto bench = limits::Bench::start(extent).or_throw();
  limits::Report report{.environment = environment(bench.clock()), .extent = extent, .rows = {}, .pairs = {}};
  const int rounds = extent == limits::Extent::full ? rounds_of_full : 1;
  harness::Progress progress(chosen.size() * static_cast<std::size_t>(rounds) + pairs.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      progress.next(chosen[i].subject.name);
      limits::Row row = bench.measure(chosen[i]).or_throw();
      if (round == 0) {
        report.rows.push_back(std::move(row));
      } else if (tells_more(row, report.rows[i])) {
        report.rows[i] = std::move(row);
      }
    }
  }
  for (const limits::LimitPair& pair : pairs) {
    progress.next(pair.name);
    report.pairs.push_back(bench.compare(pair).or_throw());
  }
  return report;
}

int run(const Options& options) {
  if (!options.runs.empty()) {
    return compare_runs(options.runs);
  }
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  auto chosen = limits::all_limits(extent);
  auto pairs = limits::all_pairs();
  std::erase_if(chosen, [&](const auto& limit) {
    return !harness::selected(limit.subject.name + "\n" + limit.family, options.names);
  });
  std::erase_if(pairs, [&](const auto& pair) { return !harness::selected(pair.name + "\npairs", options.names); });
  if (chosen.empty() && pairs.empty()) {
    fmt::print(stderr, "limits: no limit has such a name; limits --list tells them\n");
    return 2;
  }
  if (options.list) {
    return list(chosen, pairs);
  }
  const limits::Report report = report_of(extent, chosen, pairs);
  fmt::print("{}", table_of(report));
  if (!options.json.empty()) {
    harness::write_file(options.json, json_of(report)).or_throw();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "What this machine can do at best between two processes.\n\n"
      "Example: limits --quick ring futex");
  Options options;
  app.add_option("NAME", options.names, "Only limits, families or pairs whose name contains one of these");
  app.add_flag("--quick", options.quick, "Fewer sizes and fewer blocks");
  app.add_flag("--list", options.list, "Print the names and measure nothing");
  app.add_option("--json", options.json, "Write the figures to this file as well")->type_name("FILE");
  app.add_option("--agree", options.runs, "Compare two runs; exit 1 when they differ by more than 10%")
      ->expected(2)
      ->type_name("A.json B.json")
      ->check(CLI::ExistingFile);
  return harness::run_program("limits", app, argc, argv, [&] { return run(options); });
}
