#pragma once
/// One physical limit: a bare subject, and where it is measured. Each family of limits is one small file.
#include <harness/subject.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limits {

enum class Where : unsigned char { across_cores, one_core, alone };
enum class Kind : unsigned char {
  round_trip,  ///< an operation is there and back
  one_way,     ///< an operation is one message that the receiver has read whole
  cost,        ///< an operation is one call or instruction of one process
};

std::string_view name_of(Where where) noexcept;
std::string_view name_of(Kind kind) noexcept;

struct Limit {
  std::string family;        ///< "draining ring"
  harness::Subject subject;  ///< its name is the row's
  Where where;
  Kind kind;
  /// What one operation moves in one direction; 0 if nothing but the signal.
  std::size_t payload_bytes = 0;
};

/// A quick run measures fewer sizes, so it has fewer rows.
enum class Extent : unsigned char { quick, full };

std::vector<Limit> cache_line(Extent extent);
std::vector<Limit> sequenced_rings(Extent extent);
std::vector<Limit> draining_rings(Extent extent);
std::vector<Limit> chunk_pools(Extent extent);
/// Those of one size and kind, over 1 to 64 chunks.
std::vector<Limit> chunk_pools_of(std::size_t chunk_bytes, Kind kind, Extent extent);
std::vector<Limit> copies(Extent extent);
std::vector<Limit> futexes(Extent extent);
std::vector<Limit> eventfds(Extent extent);
std::vector<Limit> costs(Extent extent);

/// All of them, in the order in which they are printed. Names are unique.
std::vector<Limit> all_limits(Extent extent);

/// Two limits of which one is the other's limit.
struct LimitPair {
  std::string name;
  Limit limit;
  harness::Subject subject;
};
std::vector<LimitPair> all_pairs();

}  // namespace limits
