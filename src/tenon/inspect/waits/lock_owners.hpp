#pragma once
/// Who owns the locks in memory that somebody waits for, and who could give them back.
#include <tenon/inspect/waits/wait_scene.hpp>

#include <vector>

namespace tenon::inspect {

/// For each lock that one of `waits` is for: an edge to each process that has its memory mapped, an edge to its owner,
/// alive or dead, and the state of a condition variable whose waiters have died. A thread's id is taken for what it is
/// here only if all who map the lock are of our PID namespace; else `unseen` of the wait says so.
void add_lock_owners(WaitScene& scene, const Sleepers& sleepers, std::vector<Wait>& waits);

}  // namespace tenon::inspect
