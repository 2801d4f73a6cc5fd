#pragma once
/// What the tests of a snapshot of a domain share: processes that take part in it, and what they are looked for by.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/memory/type_fields.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>
#include <tenon/sync/holder.hpp>

#include <kit/asleep.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace snapshots {

using namespace tenon;
using inspect::Edge;
using inspect::Kind;
using inspect::Need;
using inspect::Object;
using inspect::Relation;
using inspect::Snapshot;
using inspect::Wait;

struct Pose {
  double x;
};
TENON_FIELDS(Pose, x);

class SnapshotOfDomain : public testing::Test {
 protected:
  ~SnapshotOfDomain() override { sweep(unique_.domain()).or_throw(); }

  Snapshot look() const { return inspect::snapshot({.kinds = {}, .directories = {}, .domains = {{unique_.path()}}}); }
  // The snapshot in which `is_so` holds, as soon as there is one.
  Snapshot until(const std::function<bool(const Snapshot&)>& is_so) const {
    Snapshot all = look();
    while (!is_so(all)) {
      ::sched_yield();
      all = look();
    }
    return all;
  }
  // One that takes part, in a process of its own, until it is ended.
  Child start(const std::function<void(const Holder&)>& body) const {
    return spawn([&] {
             const Life life = Life::join(unique_.domain()).or_throw();
             body(Holder::of(unique_.domain(), life).or_throw());
             kit::wait_to_be_killed();
             return 0;
           })
        .or_throw();
  }
  // What it leaves is for the next who comes by the same name, and nobody comes.
  void end(Child& child) {
    unique_.directory().allow_leftovers();
    EXPECT_TRUE(child.signal(SIGKILL));
    EXPECT_TRUE(child.wait(never));
  }

  const kit::Watchdog watchdog_{"looks at a domain", std::chrono::seconds(100)};
  kit::UniqueDomain unique_;
};

inline const Object* object(const Snapshot& all, Kind kind, const std::string& name) {
  const auto found =
      std::ranges::find_if(all.objects, [&](const Object& one) { return one.kind == kind && one.name == name; });
  return found == all.objects.end() ? nullptr : &*found;
}

inline std::size_t place(const Snapshot& all, Kind kind, const std::string& name) {
  const Object* const found = object(all, kind, name);
  EXPECT_NE(found, nullptr) << name;
  return static_cast<std::size_t>(found - all.objects.data());
}

inline const Edge* edge(const Snapshot& all, std::size_t object, pid_t pid, Relation relation) {
  const auto edges = all.edges_of(object);
  const auto found =
      std::ranges::find_if(edges, [&](const Edge& one) { return one.pid == pid && one.relation == relation; });
  return found == edges.end() ? nullptr : &*found;
}

// The record of one who sleeps. What the kernel is asked about its thread is told beside it.
inline const Wait* wait_of(const Snapshot& all, pid_t pid, Kind kind) {
  const auto found = std::ranges::find_if(all.waits, [&](const Wait& wait) {
    return wait.pid == pid &&
           std::ranges::any_of(wait.objects, [&](std::size_t at) { return all.objects[at].kind == kind; });
  });
  return found == all.waits.end() ? nullptr : &*found;
}

}  // namespace snapshots
