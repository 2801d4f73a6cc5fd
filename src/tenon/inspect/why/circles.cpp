#include <tenon/inspect/why/circles.hpp>

#include <algorithm>
#include <limits>

namespace tenon::inspect {

namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

// Without recursion: a chain of waits may be as long as there are threads.
class Walk {
 public:
  explicit Walk(const Arrows& arrows)
      : arrows_(arrows), reached_(arrows.size(), never), lowest_(arrows.size()), part_(arrows.size(), never) {}

  std::vector<std::size_t> run() {
    for (std::size_t node = 0; node < arrows_.size(); ++node) {
      if (reached_[node] == never) {
        walk_from(node);
      }
    }
    return std::move(part_);
  }

 private:
  struct Step {
    std::size_t node;
    std::size_t next = 0;  // of its arrows
  };

  void enter(std::size_t node) {
    reached_[node] = lowest_[node] = time_++;
    open_.push_back(node);
    path_.push_back({.node = node});
  }

  void walk_from(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.next == arrows_[step.node].size()) {
        leave();
        continue;
      }
      const std::size_t to = arrows_[step.node][step.next++];
      if (reached_[to] == never) {
        enter(to);
      } else if (part_[to] == never) {
        lowest_[step.node] = std::min(lowest_[step.node], reached_[to]);
      }
    }
  }

  // All that was entered since the first of a part belongs to it.
  void leave() {
    const std::size_t node = path_.back().node;
    path_.pop_back();
    if (!path_.empty()) {
      std::size_t& before = lowest_[path_.back().node];
      before = std::min(before, lowest_[node]);
    }
    if (lowest_[node] != reached_[node]) {
      return;
    }
    for (std::size_t last = never; last != node; open_.pop_back()) {
      last = open_.back();
      part_[last] = parts_;
    }
    ++parts_;
  }

  const Arrows& arrows_;
  std::vector<std::size_t> reached_;  // when
  std::vector<std::size_t> lowest_;   // the earliest that it leads back to
  std::vector<std::size_t> part_;
  std::vector<std::size_t> open_;  // entered, and not yet of a part
  std::vector<Step> path_;
  std::size_t time_ = 0;
  std::size_t parts_ = 0;
};

}  // namespace

std::vector<std::size_t> parts_of(const Arrows& arrows) { return Walk(arrows).run(); }

}  // namespace tenon::inspect
