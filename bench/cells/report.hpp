#pragma once
/// A run, as tables for people and as JSON for programs, and two runs side by side.
#include <cells/session.hpp>
#include <harness/environment.hpp>

#include <string>
#include <vector>

namespace cells {

struct Report {
  harness::Environment environment;
  SelfTest self_test;
  std::string places;
  Effort effort;
  std::vector<limits::Row> limits;
  std::vector<Row> rows;
};

/// Where it was made, the limits, then a table for each pattern, size, wait and place.
std::string table_of(const Report& report);

/// One object, as docs/schema/bench.json describes it.
std::string json_of(const Report& report);

/// What of a row another run is compared by.
struct Told {
  std::string name;  ///< "pipe, roundtrip, 64 B, spin, near"
  std::string distance;
  std::string limit;
  Interval nanoseconds;
  Interval ratio;
};
std::vector<Told> told(const Report& report);
/// Of what json_of() wrote. Failures: corrupt, which says what is missing.
tenon::Result<std::vector<Told>> told(const std::string& json);

enum class Verdict : unsigned char {
  same,  ///< the intervals meet, or lie closer than can matter
  faster,
  slower,  ///< both the time and its ratio to the limit say so, and one of them beyond its intervals
  apart,   ///< the processors stood otherwise: nothing can be said
  new_row,
  gone,
};
struct Compared {
  std::string name;
  Verdict verdict;
  double change = 0;  ///< of the time, in parts: 0.05 is 5% slower
};
std::vector<Compared> compare(const std::vector<Told>& old, const std::vector<Told>& now);
std::string table_of(const std::vector<Compared>& rows);

}  // namespace cells
