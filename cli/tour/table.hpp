#pragma once
/// Every program of the three source documents, and what it prints.
#include <span>
#include <string>
#include <vector>

namespace tenon::cli {

/// One process of an entry. In its arguments "{dir}" stands for a fresh directory that all processes of the entry
/// share, "{name}" for that directory's name, which nothing else on the machine has: for objects whose names are no
/// paths, and "{tenon}" for this very program.
struct TourProgram {
  const char* binary;
  std::vector<const char*> arguments = {};
  /// Groups of lines, one group after another; within a group the order is open, because nothing orders it.
  std::vector<std::vector<const char*>> prints;
  /// What holds of the lines beyond that, for an order that groups cannot say; null if nothing does.
  bool (*holds)(const std::vector<std::string>& lines) = nullptr;
  int exits_with = 0;
  bool errors_too = false;  ///< its standard error belongs to what it prints
};

struct TourEntry {
  const char* name;
  const char* mechanism;
  std::vector<TourProgram> programs;  ///< started in this order, none waits for another to end
};

std::span<const TourEntry> tour_table();

}  // namespace tenon::cli
