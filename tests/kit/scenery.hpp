#pragma once
/// A snapshot made by hand. For tests that link inspect.
#include <tenon/inspect/snapshot.hpp>

#include <algorithm>
#include <string>

namespace kit {

/// Processes, objects, and who waits.
class Scenery {
 public:
  Scenery& process(pid_t pid, const std::string& command, std::size_t threads = 1) {
    all.processes.push_back(
        {.pid = pid, .user = 0, .name = command, .command = command, .state = 'S', .threads = threads});
    return *this;
  }
  std::size_t object(tenon::inspect::Kind kind, const std::string& name) {
    all.objects.push_back({.kind = kind, .name = name});
    return all.objects.size() - 1;
  }
  Scenery& edge(std::size_t object, pid_t pid, tenon::inspect::Relation relation, bool reads, bool writes) {
    all.edges.push_back({.object = object, .pid = pid, .relation = relation, .reads = reads, .writes = writes});
    return *this;
  }
  /// By its main thread.
  Scenery& owner(std::size_t object, pid_t pid, bool ended) {
    all.edges.push_back(
        {.object = object, .pid = pid, .relation = tenon::inspect::Relation::owns, .ended = ended, .thread = pid});
    return *this;
  }
  /// Of its main thread. Good until the next one.
  tenon::inspect::Wait& wait(pid_t pid, const char* call, tenon::inspect::Need need, std::size_t object) {
    all.waits.push_back({.pid = pid, .thread = pid, .call = call, .need = need, .objects = {object}, .since = {}});
    return all.waits.back();
  }
  const tenon::inspect::Snapshot& done() {
    std::ranges::stable_sort(all.edges, {}, &tenon::inspect::Edge::object);
    std::ranges::stable_sort(all.waits, {}, &tenon::inspect::Wait::pid);
    return all;
  }

  tenon::inspect::Snapshot all;
};

}  // namespace kit
