#pragma once
/// A run, as a table for people and as JSON for programs.
#include <harness/environment.hpp>
#include <limits/run.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace limits {

struct Report {
  harness::Environment environment;
  Extent extent = Extent::full;
  std::vector<Row> rows;
  std::vector<PairRow> pairs;
};

/// The environment, then a line for each row: what one operation takes, half the distance of the quartiles of its
/// blocks, the rate, percentiles of single operations where they were sampled, and what the kernel had to do for it.
std::string table_of(const Report& report);

/// One object, as docs/benchmarks.md describes it.
std::string json_of(const Report& report);

/// Their parts, for other reports: the lines of limits, "near, 2 attempts", and the objects.
std::string table_of(const std::vector<Row>& rows);
nlohmann::json json_of(const Row& row);
std::string remarks(const harness::Attempts& attempts, int kept, int preempted);
nlohmann::json json_of(const PairRow& row);
nlohmann::json json_of(const harness::Environment& here);

}  // namespace limits
