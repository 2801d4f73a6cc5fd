/// tenon bench topic|service [--size LIST] [--wait spin|adaptive|sleep] [--quick] [--json FILE]
#include <cli/command.hpp>

#include <harness/command_line.hpp>
#include <service/calls.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace tenon::cli {

namespace {

struct BenchOptions {
  std::vector<std::uint64_t> sizes = {8, 40, 64, 1 << 10, 64 << 10, 1 << 20};
  std::string wait = "spin";
  bool quick = false;
  std::string json;
};

constexpr std::uint64_t largest = 16 << 20;

std::string whole_words(const std::string& text) {
  std::uint64_t bytes = 0;
  const bool number = CLI::detail::lexical_cast(text, bytes);
  return number && bytes >= 8 && bytes <= largest && bytes % 8 == 0
             ? ""
             : "\"" + text + "\" is not a size: a multiple of 8 bytes, 16 MiB at most";
}

std::string way_to_wait(const std::string& text) {
  const bool known = text == "spin" || text == "adaptive" || text == "sleep";
  return known ? "" : "\"" + text + "\" is no way to wait: spin, adaptive or sleep";
}

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

Waiting waiting_of(const std::string& text) {
  return text == "sleep" ? Waiting::sleep : text == "adaptive" ? Waiting::adaptive : Waiting::spin;
}

std::vector<topics::Row> rows_of(const BenchOptions& options, limits::Extent extent) {
  const Waiting waiting = waiting_of(options.wait);
  std::vector<topics::Row> rows;
  for (const std::uint64_t bytes : options.sizes) {
    rows.push_back(topics::round_trip(topics::usual_trip(bytes, waiting), extent));
  }
  for (const std::uint64_t bytes : options.sizes) {
    rows.push_back(topics::one_way_row(topics::usual(bytes, waiting), extent));
  }
  return rows;
}

std::vector<topics::Row> service_rows_of(const BenchOptions& options, limits::Extent) {
  std::vector<topics::Row> rows;
  std::ranges::transform(options.sizes, std::back_inserter(rows),
                         [&](std::uint64_t bytes) { return services::call_row(bytes, waiting_of(options.wait)); });
  return rows;
}

using RowsOf = std::vector<topics::Row> (*)(const BenchOptions&, limits::Extent);

Result<topics::Report> measure(const BenchOptions& options, RowsOf rows_of_pattern) {
  const topics::DomainsOfRun domains;
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  return topics::Run::start(extent).transform([&](topics::Run run) {
    topics::Report report{.environment = harness::environment(run.clock()), .rows = {}, .idle = {}};
    const std::vector<topics::Row> rows = rows_of_pattern(options, extent);
    harness::Progress progress(rows.size());
    for (const topics::Row& row : rows) {
      progress.next(row.name);
      report.rows.push_back(run.measure(row));
    }
    return report;
  });
}

int bench_rows(const BenchOptions& options, RowsOf rows_of_pattern) {
  auto measured = measure(options, rows_of_pattern);
  if (!measured) {
    return report("bench", measured.error());
  }
  fmt::print("{}", topics::table_of(*measured));
  if (!options.json.empty()) {
    if (auto written = harness::write_file(options.json, topics::json_of(*measured)); !written) {
      return report("bench", written.error());
    }
  }
  return std::ranges::any_of(measured->rows, &topics::MeasuredRow::failed) ? failed : succeeded;
}

void add_pattern(CLI::App& bench, const char* name, const char* what, const char* footer, RowsOf rows_of_pattern,
                 int& code) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* pattern = bench.add_subcommand(name, what);
  pattern->add_option("--size", options->sizes, "Bytes of a message: 8,64,64KiB")
      ->delimiter(',')
      ->type_name("LIST")
      ->transform(CLI::AsSizeValue(false))
      ->check(whole_words);
  pattern->add_option("--wait", options->wait, "How both ends wait")
      ->type_name("spin|adaptive|sleep")
      ->check(way_to_wait);
  pattern->add_flag("--quick", options->quick, "Fewer blocks, and fewer limits to choose from");
  pattern->add_option("--json", options->json, "Write the figures to this file as well")
      ->type_name("FILE")
      ->check(place_to_write);
  pattern->footer(footer);
  pattern->callback([options, rows_of_pattern, &code] { code = bench_rows(*options, rows_of_pattern); });
}

}  // namespace

void add_bench(CLI::App& program, int& code) {
  CLI::App* bench = program.add_subcommand("bench", "Measure beside what this machine can do at best");
  bench->require_subcommand(1);
  add_pattern(*bench, "topic", "Topics, there and back and one way, between two processors",
              "Example:\n"
              "  tenon bench topic --quick --size 64,64KiB --wait adaptive\n"
              "Each row's ratio is its time in that of its limit; \"over\" marks one beyond what Tenon aims at.",
              rows_of, code);
  add_pattern(*bench, "service", "Calls of a service beside a topic's messages there and back",
              "Example:\n"
              "  tenon bench service --quick --size 8,64\n"
              "Each row's ratio is its time in that of the topic; \"over\" marks one beyond what Tenon aims at.",
              service_rows_of, code);
}

}  // namespace tenon::cli
