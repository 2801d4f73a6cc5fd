#pragma once
/// Where the nodes of a graph stand on a page: in layers from left to right, so that most edges lead to the right.
#include <cli/graph_model.hpp>

#include <vector>

namespace tenon::cli {

struct Placed {
  std::size_t layer;
  std::size_t row;
};

struct Layout {
  std::vector<Placed> nodes;  ///< one for each node of the graph
  std::size_t layers = 0;
  std::size_t rows = 0;
};

/// After Sugiyama, Tagawa and Toda (1981): layers by the longest way, in which edges that close a circle do not count;
/// within a layer by the middle of the neighbours, in a few sweeps.
Layout layout_of(const Graph& graph);

}  // namespace tenon::cli
