#pragma once
/// A graph as DOT, JSON and SVG.
#include <cli/graph_model.hpp>

#include <string>

namespace tenon::cli {

/// For Graphviz.
std::string dot_of(const Graph& graph);
/// docs/schema/graph.json
std::string json_of(const Graph& graph);
/// A picture that needs no other program.
std::string svg_of(const Graph& graph);

}  // namespace tenon::cli
