#include <cli/graph_text.hpp>

#include <cli/graph_layout.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace tenon::cli {

namespace {

using nlohmann::json;

constexpr std::string_view stuck_colour = "#c0392b";
constexpr std::string_view plain_colour = "#34495e";

std::string_view name_of(GraphEdge::Line line) {
  constexpr std::array<std::string_view, 3> names = {"waits", "helps", "joined"};
  return names.at(static_cast<std::size_t>(line));
}

std::string_view colour_of(bool stuck) { return stuck ? stuck_colour : plain_colour; }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char byte : text) {
    out += byte == '"' || byte == '\\' ? std::string("\\") + byte : std::string(1, byte);
  }
  return out + "\"";
}

std::string in_markup(const std::string& text) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += byte;
    }
  }
  return out;
}

// Units of the picture.
constexpr double box_width = 260;
constexpr double box_height = 44;
constexpr double between_layers = 130;
constexpr double between_rows = 26;
constexpr double margin = 20;

struct Point {
  double x;
  double y;
};

// The upper left corner of a node.
Point corner_of(const Placed& placed) {
  return {.x = margin + static_cast<double>(placed.layer) * (box_width + between_layers),
          .y = margin + static_cast<double>(placed.row) * (box_height + between_rows)};
}

std::string svg_node(const GraphNode& node, Point at) {
  const bool process = node.shape == GraphNode::Shape::process;
  std::string text =
      fmt::format("  <g><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"{}\"{}/>\n",
                  at.x, at.y, box_width, box_height, process ? 18 : 2, process ? "#eaf2f8" : "#fdf6e3",
                  colour_of(node.stuck || node.dead), node.dead ? " stroke-dasharray=\"4 3\"" : "");
  const double middle = at.x + box_width / 2;
  text += fmt::format("    <text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", middle, at.y + 18,
                      in_markup(node.label + (node.dead ? ", dead" : "")));
  text += fmt::format("    <text x=\"{}\" y=\"{}\" font-size=\"10\">{}</text></g>\n", middle, at.y + 34,
                      in_markup(node.note));
  return text;
}

// From the right side of one to the left side of the other; what leads back goes below both.
std::string svg_edge(const GraphEdge& edge, const Layout& layout) {
  const Point from = corner_of(layout.nodes[edge.from]);
  const Point to = corner_of(layout.nodes[edge.to]);
  const bool forward = layout.nodes[edge.from].layer < layout.nodes[edge.to].layer;
  const Point begin = {.x = from.x + (forward ? box_width : box_width / 2),
                       .y = from.y + (forward ? box_height / 2 : box_height)};
  const Point end = {.x = to.x + (forward ? 0 : box_width / 2), .y = to.y + (forward ? box_height / 2 : box_height)};
  const double bend = forward ? 0 : between_rows + box_height;
  const double pull = forward ? between_layers / 2 : 0;
  std::string text = fmt::format(
      "  <path d=\"M {} {} C {} {} {} {} {} {}\" fill=\"none\" stroke=\"{}\"{} marker-end=\"url(#arrow)\"/>\n", begin.x,
      begin.y, begin.x + pull, begin.y + bend, end.x - pull, end.y + bend, end.x, end.y, colour_of(edge.stuck),
      edge.line == GraphEdge::Line::waits ? "" : " stroke-dasharray=\"5 3\"");
  text += fmt::format("  <text x=\"{}\" y=\"{}\" font-size=\"10\" fill=\"{}\">{}</text>\n", (begin.x + end.x) / 2,
                      (begin.y + end.y) / 2 + bend * 3 / 4 - 4, colour_of(edge.stuck), in_markup(edge.label));
  return text;
}

}  // namespace

std::string dot_of(const Graph& graph) {
  std::string text = "digraph tenon {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n";
  for (const GraphNode& node : graph.nodes) {
    const std::string label = quoted(node.label + (node.dead ? ", dead" : ""));
    text += fmt::format("  {} [label={}, tooltip={}, shape={}{}{}];\n", node.id, label, quoted(node.note),
                        node.shape == GraphNode::Shape::process ? "ellipse" : "box",
                        node.stuck || node.dead ? ", color=red" : "", node.dead ? ", style=dashed" : "");
  }
  for (const GraphEdge& edge : graph.edges) {
    text += fmt::format("  {} -> {} [label={}{}{}];\n", graph.nodes[edge.from].id, graph.nodes[edge.to].id,
                        quoted(edge.label), edge.line == GraphEdge::Line::waits ? "" : ", style=dashed",
                        edge.stuck ? ", color=red" : "");
  }
  return text + "}\n";
}

std::string json_of(const Graph& graph) {
  json nodes = json::array();
  for (const GraphNode& node : graph.nodes) {
    nodes.push_back({{"id", node.id},
                     {"type", node.shape == GraphNode::Shape::process ? "process" : "object"},
                     {"label", node.label},
                     {"note", node.note},
                     {"stuck", node.stuck},
                     {"dead", node.dead}});
  }
  json edges = json::array();
  for (const GraphEdge& edge : graph.edges) {
    edges.push_back({{"from", graph.nodes[edge.from].id},
                     {"to", graph.nodes[edge.to].id},
                     {"type", name_of(edge.line)},
                     {"label", edge.label},
                     {"stuck", edge.stuck}});
  }
  return json{{"nodes", std::move(nodes)}, {"edges", std::move(edges)}}.dump(2) + "\n";
}

std::string svg_of(const Graph& graph) {
  const Layout layout = layout_of(graph);
  const Point far = corner_of({.layer = std::max<std::size_t>(layout.layers, 1), .row = layout.rows + 1});
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">\n",
      far.x, far.y);
  text +=
      "  <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M 0 0 L 8 4 L 0 8 z\"/></marker></defs>\n";
  for (const GraphEdge& edge : graph.edges) {
    text += svg_edge(edge, layout);
  }
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    text += svg_node(graph.nodes[node], corner_of(layout.nodes[node]));
  }
  return text + "</svg>\n";
}

}  // namespace tenon::cli
