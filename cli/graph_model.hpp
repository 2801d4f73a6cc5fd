#pragma once
/// Who waits for what, and who could end that, as a graph.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tenon::cli {

struct GraphNode {
  enum class Shape : std::uint8_t { process, object };
  Shape shape;
  std::string id;     ///< "p812", "o4"
  std::string label;  ///< escaped
  std::string note;   ///< a second line; "" if there is none
  bool stuck = false;
  bool dead = false;
};

struct GraphEdge {
  enum class Line : std::uint8_t {
    waits,   ///< from a process to what it waits for
    helps,   ///< from that to a process that could end the wait
    joined,  ///< from a process to what it has open or mapped
  };
  std::size_t from;  ///< in Graph::nodes
  std::size_t to;    ///< in Graph::nodes
  Line line;
  std::string label;
  bool stuck = false;
};

struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<GraphEdge> edges;
};

/// Every wait, with all who could end it.
Graph graph_of_waits(const inspect::Snapshot& all);
/// That, and every object that a process has open or mapped, or takes part in.
Graph graph_of_all(const inspect::Snapshot& all);

}  // namespace tenon::cli
