#pragma once
/// One line of the benchmark of topics: something that a topic does, its options, and its limit.
#include <tenon/base/result.hpp>
#include <harness/processors.hpp>
#include <limits/limit.hpp>
#include <topic/traffic.hpp>

#include <string>
#include <vector>

namespace topics {

/// What a row should reach, as the most that its ratio to the limit may be.
struct Aim {
  /// `ratio` × the limit; 0 where nothing is asked.
  double ratio = 0;
  /// Looks at the time stamp counter that are allowed for: beside the limit, or within what the ratio multiplies.
  int clock_reads_beside = 0;
  int clock_reads_within = 0;
  /// Instead of a ratio: so many nanoseconds.
  double nanoseconds = 0;
};

struct Row {
  std::string group;
  std::string name;
  std::string options;  ///< with the name, unique
  /// The best of them counts, as a look at each tells before the pair is measured.
  std::vector<limits::Limit> limits;
  harness::Subject subject;
  tenon::Result<harness::Placement> placement;
  limits::Kind kind;
  Aim aim = {};
  /// Messages that one operation of the subject delivers; one of the limit delivers one.
  double deliveries = 1;
};

/// This traffic there and back, beside the bounced line, the best hand-over of its size, or two bare futexes.
Row round_trip(const Traffic& traffic, limits::Extent extent);
/// The same one way, beside the best bare ring or pool of that size.
Row one_way_row(const Traffic& traffic, limits::Extent extent);

/// All rows, in the order in which they are printed.
std::vector<Row> all_rows(limits::Extent extent);

}  // namespace topics
