#pragma once
/// The lines of `tenon top`, for a screen of any size or for none.
#include <cli/top/top_rows.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::cli {

/// "  1234.5/s  17  2  topic:pose   812 (…)", with blanks to exactly `width` columns; 0 is as wide as it takes.
std::string heading_of_objects(std::size_t width);
std::string line_of(const TopObject& row, std::size_t width);
std::string heading_of_processes(std::size_t width);
std::string line_of(const TopProcess& row, std::size_t width);

/// How much is listed.
struct TopCount {
  std::size_t objects;
  std::size_t processes;
  std::size_t unseen;
};
/// The first line: when, how much there is, how often it is looked at, in which order.
std::string title_of(const TopCount& count, double interval, const TopChoice& choice);

}  // namespace tenon::cli
