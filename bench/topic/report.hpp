#pragma once
/// A run of the benchmark of topics, as a table for people and as JSON for programs.
#include <harness/environment.hpp>
#include <topic/idle.hpp>
#include <topic/run.hpp>

#include <optional>
#include <string>
#include <vector>

namespace topics {

struct IdleRow {
  std::string name;
  double seconds = 0;
  Idleness used;
};

struct Report {
  harness::Environment environment;
  std::vector<MeasuredRow> rows;
  std::vector<IdleRow> idle;
  std::string subject = "topic";  ///< what its column is called
};

/// The environment, then a line for each row: its limit and what of it is reached, and a mark where that is beyond the
/// aim.
std::string table_of(const Report& report);

/// One object, as docs/benchmarks.md describes it.
std::string json_of(const Report& report);

}  // namespace topics
