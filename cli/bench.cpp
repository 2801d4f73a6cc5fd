/// tenon bench topic|stream|queue|service [--size LIST] [--wait spin|adaptive|sleep] [--quick] [--json FILE]
#include <cli/command.hpp>

#include <harness/command_line.hpp>
#include <queue/row.hpp>
#include <service/calls.hpp>
#include <stream/row.hpp>
#include <topic/report.hpp>
#include <topic/start_domain.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace tenon::cli {

namespace {

struct BenchOptions {
  std::vector<std::uint64_t> sizes;
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

std::vector<topics::Row> rows_of_topics(const BenchOptions& options, limits::Extent extent) {
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

std::vector<topics::Row> rows_of_streams(const BenchOptions& options, limits::Extent /*extent*/) {
  return streams::rows_of({options.sizes.begin(), options.sizes.end()}, waiting_of(options.wait));
}

/// What `tenon bench NAME` measures.
std::vector<topics::Row> rows_of_services(const BenchOptions& options, limits::Extent) {
  std::vector<topics::Row> rows;
  for (const std::uint64_t bytes : options.sizes) {
    rows.push_back(services::call_row(bytes, waiting_of(options.wait)));
  }
  return rows;
}

struct Pattern {
  const char* name;
  const char* about;
  const char* example;
  std::vector<std::uint64_t> sizes;
  std::vector<topics::Row> (*rows_of)(const BenchOptions&, limits::Extent);
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = {
      {.name = "topic",
       .about = "Topics, there and back and one way, between two processors",
       .example = "tenon bench topic --quick --size 64,64KiB --wait adaptive",
       .sizes = {8, 40, 64, 1 << 10, 64 << 10, 1 << 20},
       .rows_of = rows_of_topics},
      {.name = "stream",
       .about = "Streams, beside a bare ring of bytes and a pipe, between two processors",
       .example = "tenon bench stream --quick --size 64,4KiB",
       .sizes = {64, 4 << 10, 1 << 20},
       .rows_of = rows_of_streams},
      {.name = "queue",
       .about = "Queues, beside the kernel's and Boost's, between two processes and between eight",
       .example = "tenon bench queue --quick --size 64,1KiB",
       .sizes = {64},
       .rows_of = [](const BenchOptions& options, limits::Extent) { return queues::rows_of(options.sizes); }},
      {.name = "service",
       .about = "Services, each call beside a topic's message there and back, between two processors",
       .example = "tenon bench service --quick --size 8,64",
       .sizes = {8, 40, 64, 1 << 10, 64 << 10},
       .rows_of = rows_of_services},
  };
  return all;
}

Result<topics::Report> measure(const Pattern& pattern, const BenchOptions& options) {
  const topics::DomainsOfRun domains;
  const auto extent = options.quick ? limits::Extent::quick : limits::Extent::full;
  return topics::Run::start(extent).transform([&](topics::Run run) {
    topics::Report report{
        .environment = harness::environment(run.clock()), .rows = {}, .idle = {}, .subject = pattern.name};
    const std::vector<topics::Row> rows = pattern.rows_of(options, extent);
    harness::Progress progress(rows.size());
    for (const topics::Row& row : rows) {
      progress.next(row.name);
      report.rows.push_back(run.measure(row));
    }
    return report;
  });
}

int measure_and_print(const Pattern& pattern, const BenchOptions& options) {
  auto measured = measure(pattern, options);
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

void add_pattern(CLI::App& bench, const Pattern& pattern, int& code) {
  auto options = std::make_shared<BenchOptions>();
  options->sizes = pattern.sizes;
  CLI::App* command = bench.add_subcommand(pattern.name, pattern.about);
  command->add_option("--size", options->sizes, "Bytes of a message: 8,64,64KiB")
      ->delimiter(',')
      ->type_name("LIST")
      ->transform(CLI::AsSizeValue(false))
      ->check(whole_words);
  command->add_option("--wait", options->wait, "How both ends wait")
      ->type_name("spin|adaptive|sleep")
      ->check(way_to_wait);
  command->add_flag("--quick", options->quick, "Fewer blocks, and fewer limits to choose from");
  command->add_option("--json", options->json, "Write the figures to this file as well")
      ->type_name("FILE")
      ->check(place_to_write);
  command->footer("Example:\n  " + std::string(pattern.example) +
                  "\nEach row's ratio is its time in that of its limit; \"over\" marks one beyond what Tenon aims at.");
  command->callback([options, &pattern, &code] { code = measure_and_print(pattern, *options); });
}

}  // namespace

void add_bench(CLI::App& program, int& code) {
  CLI::App* bench = program.add_subcommand("bench", "Measure beside what this machine can do at best");
  bench->require_subcommand(1);
  for (const Pattern& pattern : patterns()) {
    add_pattern(*bench, pattern, code);
  }
}

}  // namespace tenon::cli
