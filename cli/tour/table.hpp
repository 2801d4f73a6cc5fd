#pragma once
/// Every program of the three source documents, and what it prints.
#include <span>
#include <string>
#include <vector>

namespace tenon::cli {

/// One process of an entry. In its arguments "{dir}" stands for a fresh directory that all processes of the entry
/// share.
struct TourProgram {
  const char* binary;
  std::vector<const char*> arguments = {};
  /// Groups of lines, one group after another; within a group the order is open, because nothing orders it.
  std::vector<std::vector<const char*>> prints;
};

struct TourEntry {
  const char* name;
  const char* mechanism;
  std::vector<TourProgram> programs;  ///< started in this order, none waits for another to end
};

std::span<const TourEntry> tour_table();

}  // namespace tenon::cli
