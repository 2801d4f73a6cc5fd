#pragma once
/// What `tenon bench` is asked to measure.
#include <cells/cell.hpp>
#include <cells/places.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::cli {

struct BenchChoice {
  std::vector<std::string> what;      ///< mechanisms, "limits"; a number goes with the pattern before it
  std::vector<std::uint64_t> sizes;   ///< bytes of a message
  std::string wait;                   ///< none: those that tell most
  std::string pattern;                ///< none: all; "fanout" and "fanin" may have ":N"
  std::vector<std::uint64_t> depths;  ///< messages that may be under way
  std::uint64_t backlog = 0;
  bool quick = false;
  int repeats = 0;      ///< 0: as many as are usual
  bool anyway = false;  ///< reports what a busy machine tells, too

  /// What does not go together, in words; "" if all does.
  std::string mistake() const;
  bool with_limits() const;
  std::vector<const cells::Mechanism*> mechanisms() const;
  /// In the order in which they are printed.
  std::vector<cells::Cell> cells(const cells::Places& places) const;
};

void add_bench_choice(CLI::App& bench, BenchChoice& choice);

}  // namespace tenon::cli
