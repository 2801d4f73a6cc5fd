#include <cli/graph_model.hpp>

#include <tenon/base/name.hpp>
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>

#include <cli/columns.hpp>
#include <cli/object_text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace tenon::cli {

namespace {

constexpr std::size_t most_of_a_label = 40;

class Maker {
 public:
  explicit Maker(const inspect::Snapshot& all) : all_(all) {
    const inspect::Chains chains(all);
    for (const inspect::Chain& chain : chains.stuck()) {
      for (const inspect::Link& link : chain.links) {
        stuck_.insert(link.wait);
      }
    }
  }

  void add_waits() {
    for (std::size_t at = 0; at < all_.waits.size(); ++at) {
      const inspect::Wait& wait = all_.waits[at];
      const inspect::Rescue rescue = inspect::rescue_of(all_, wait);
      for (const std::size_t object : wait.objects) {
        connect(process(wait.pid), this->object(object), GraphEdge::Line::waits, wait.call, stuck_.contains(at));
      }
      for (const inspect::Rescuer& helper : rescue.helpers) {
        add_helper(at, helper);
      }
      process(wait.pid);
      graph_.nodes[process(wait.pid)].stuck |= stuck_.contains(at);
    }
  }

  void add_holds() {
    for (const inspect::Edge& edge : all_.edges) {
      if (inspect::is_hold(edge.relation) && !edge.ended) {
        connect(process(edge.pid), object(edge.object), GraphEdge::Line::joined,
                std::string(inspect::name_of(edge.relation)), false);
      }
    }
  }

  Graph take() { return std::move(graph_); }

 private:
  // A child and a thread of one's own stand behind no object.
  void add_helper(std::size_t at, const inspect::Rescuer& helper) {
    const std::size_t from = helper.object ? object(*helper.object) : process(all_.waits[at].pid);
    const std::size_t to = process(helper.pid);
    graph_.nodes[to].dead |= helper.ended;
    if (from != to) {
      connect(from, to, GraphEdge::Line::helps, std::string(inspect::name_of(helper.role)), stuck_.contains(at));
    }
  }

  std::size_t process(pid_t pid) {
    const auto [known, added] = processes_.try_emplace(pid, graph_.nodes.size());
    if (added) {
      const inspect::Process* found = all_.process(pid);
      graph_.nodes.push_back({.shape = GraphNode::Shape::process,
                              .id = fmt::format("p{}", pid),
                              .label = escaped(inspect::process_name(all_, pid)),
                              .note = found == nullptr ? "" : cut(escaped(found->command), most_of_a_label)});
    }
    return known->second;
  }

  std::size_t object(std::size_t at) {
    const auto [known, added] = objects_.try_emplace(at, graph_.nodes.size());
    if (added) {
      const inspect::Object& found = all_.objects[at];
      graph_.nodes.push_back({.shape = GraphNode::Shape::object,
                              .id = fmt::format("o{}", at),
                              .label = cut(escaped(inspect::object_name(found)), most_of_a_label),
                              .note = cut(figures_text(found, false), most_of_a_label)});
    }
    return known->second;
  }

  void connect(std::size_t from, std::size_t to, GraphEdge::Line line, std::string label, bool stuck) {
    if (known_.insert({from, to, line, label}).second) {
      graph_.edges.push_back({.from = from, .to = to, .line = line, .label = std::move(label), .stuck = stuck});
    }
  }

  const inspect::Snapshot& all_;
  std::set<std::size_t> stuck_;
  Graph graph_;
  std::map<pid_t, std::size_t> processes_;
  std::map<std::size_t, std::size_t> objects_;
  std::set<std::tuple<std::size_t, std::size_t, GraphEdge::Line, std::string>> known_;
};

}  // namespace

Graph graph_of_waits(const inspect::Snapshot& all) {
  Maker maker(all);
  maker.add_waits();
  return maker.take();
}

Graph graph_of_all(const inspect::Snapshot& all) {
  Maker maker(all);
  maker.add_waits();
  maker.add_holds();
  return maker.take();
}

}  // namespace tenon::cli
