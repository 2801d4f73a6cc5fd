#include <cli/graph_layout.hpp>

#include <algorithm>
#include <cstdint>

namespace tenon::cli {

namespace {

using Neighbours = std::vector<std::vector<std::size_t>>;

// Edges without those that lead back to a node on the way to themselves.
class Unrolled {
 public:
  explicit Unrolled(const Graph& graph) : out_(graph.nodes.size()), forward_(graph.nodes.size()) {
    for (const GraphEdge& edge : graph.edges) {
      out_[edge.from].push_back(edge.to);
    }
    state_.assign(graph.nodes.size(), State::fresh);
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      if (state_[node] == State::fresh) {
        visit(node);
      }
    }
  }

  const Neighbours& forward() const noexcept { return forward_; }

  std::vector<std::size_t> layers() const {
    std::vector<std::size_t> layer(forward_.size());
    // Behind all that leads to it: the order of leaving, turned around.
    for (auto node = left_.rbegin(); node != left_.rend(); ++node) {
      for (const std::size_t next : forward_[*node]) {
        layer[next] = std::max(layer[next], layer[*node] + 1);
      }
    }
    return layer;
  }

 private:
  enum class State : std::uint8_t { fresh, on_the_way, done };
  struct Step {
    std::size_t node;
    std::size_t next;
  };

  // With a list of its own, since a chain of processes may be long.
  void visit(std::size_t root) {
    std::vector<Step> way = {{.node = root, .next = 0}};
    state_[root] = State::on_the_way;
    while (!way.empty()) {
      Step& step = way.back();
      if (step.next == out_[step.node].size()) {
        state_[step.node] = State::done;
        left_.push_back(step.node);
        way.pop_back();
        continue;
      }
      const std::size_t to = out_[step.node][step.next++];
      if (state_[to] != State::on_the_way) {
        forward_[step.node].push_back(to);
      }
      if (state_[to] == State::fresh) {
        state_[to] = State::on_the_way;
        way.push_back({.node = to, .next = 0});
      }
    }
  }

  Neighbours out_;
  Neighbours forward_;
  std::vector<State> state_;
  std::vector<std::size_t> left_;
};

// By the mean row of the neighbours in the layer before; who has none stays where it is.
void sort_by_neighbours(std::vector<std::size_t>& layer, const Neighbours& neighbours, const std::vector<Placed>& at) {
  const auto weight = [&](std::size_t node) {
    double sum = 0;
    for (const std::size_t one : neighbours[node]) {
      sum += static_cast<double>(at[one].row);
    }
    return neighbours[node].empty() ? static_cast<double>(at[node].row)
                                    : sum / static_cast<double>(neighbours[node].size());
  };
  std::ranges::stable_sort(layer, {}, weight);
}

}  // namespace

Layout layout_of(const Graph& graph) {
  const Unrolled unrolled(graph);
  const auto layer_of = unrolled.layers();
  Layout layout;
  std::vector<std::vector<std::size_t>> layers;
  layout.nodes.resize(graph.nodes.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    layers.resize(std::max(layers.size(), layer_of[node] + 1));
    layout.nodes[node] = {.layer = layer_of[node], .row = layers[layer_of[node]].size()};
    layers[layer_of[node]].push_back(node);
  }
  Neighbours backward(graph.nodes.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    for (const std::size_t next : unrolled.forward()[node]) {
      backward[next].push_back(node);
    }
  }
  constexpr int sweeps = 4;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    const Neighbours& neighbours = sweep % 2 == 0 ? backward : unrolled.forward();
    for (auto& layer : layers) {
      sort_by_neighbours(layer, neighbours, layout.nodes);
      for (std::size_t row = 0; row < layer.size(); ++row) {
        layout.nodes[layer[row]].row = row;
      }
    }
  }
  layout.layers = layers.size();
  for (const auto& layer : layers) {
    layout.rows = std::max(layout.rows, layer.size());
  }
  return layout;
}

}  // namespace tenon::cli
