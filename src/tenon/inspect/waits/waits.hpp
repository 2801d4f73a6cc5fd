#pragma once
/// Who waits in which call for what, and who owns the locks among that.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/waits/sleepers.hpp>

#include <string>
#include <vector>

namespace tenon::inspect {

/// Adds the waits of those who have slept since the first look until now, the locks in shared memory that they wait
/// for with their owners, and how each process stands. The snapshot is in order; the objects added are not.
/// In the directories of `domains` those are looked for whose tokens stand in shared memory.
/// `kinds` are those of which the snapshot has all there are; empty: of every kind.
void add_waits(const Sleepers& sleepers, std::vector<std::string> domains, std::vector<Kind> kinds, Snapshot& into);

}  // namespace tenon::inspect
