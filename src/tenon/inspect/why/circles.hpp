#pragma once
/// The circles of a directed graph: which of its nodes lead to one another.
#include <cstddef>
#include <vector>

namespace tenon::inspect {

/// To which nodes each leads.
using Arrows = std::vector<std::vector<std::size_t>>;

/// For each node the number of its part: two are in one part if each leads to the other, over however many. A node that
/// is alone in its part is in a circle only if it leads to itself. In time proportional to nodes and arrows. Tarjan,
/// "Depth-first search and linear graph algorithms", 1972.
std::vector<std::size_t> parts_of(const Arrows& arrows);

}  // namespace tenon::inspect
