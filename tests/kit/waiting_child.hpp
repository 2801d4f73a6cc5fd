#pragma once
/// A process that waits for something for good, and the snapshot in which it does. For tests that link inspect.
#include <tenon/inspect/snapshot.hpp>

#include <kit/asleep.hpp>
#include <kit/reported_child.hpp>

#include <functional>
#include <gtest/gtest.h>

namespace kit {

/// A child that goes into `body` and is asleep in a call of it. Killed when the handle goes.
class WaitingChild {
 public:
  explicit WaitingChild(const std::function<void()>& body) : child_("who waits", body) {
    until_asleep(child_.process().pid());
  }
  ~WaitingChild() { child_.kill(); }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;
  pid_t pid() { return child_.process().pid(); }

 private:
  ReportedChild child_;
};

/// A snapshot, and a wait in it.
struct Seen {
  tenon::inspect::Snapshot all;
  tenon::inspect::Wait wait;

  const tenon::inspect::Object& object(std::size_t which = 0) const { return all.objects.at(wait.objects.at(which)); }
  /// The edges of one relation at the object that is waited for.
  std::vector<tenon::inspect::Edge> edges(tenon::inspect::Relation relation) const {
    std::vector<tenon::inspect::Edge> found;
    for (const tenon::inspect::Edge& edge : all.edges_of(wait.objects.at(0))) {
      if (edge.relation == relation) {
        found.push_back(edge);
      }
    }
    return found;
  }
};

/// Looks until the process is seen to wait in that call: on its way there it may sleep elsewhere, for a moment.
inline Seen seen_waiting(pid_t pid, const std::string& call) {
  while (true) {
    tenon::inspect::Snapshot all = tenon::inspect::snapshot({.directories = {}, .waits = true});
    for (const tenon::inspect::Wait& wait : all.waits) {
      if (wait.pid == pid && wait.call == call) {
        return {.all = all, .wait = wait};
      }
    }
  }
}

}  // namespace kit
