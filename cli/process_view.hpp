#pragma once
/// Everything that one process has to do with, as `tenon show PID` and `tenon top` print it.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::cli {

/// The objects that it holds, is remembered by or waits for, in their order.
std::vector<std::size_t> objects_of(const inspect::Snapshot& all, pid_t pid);

/// Lines of text: one for each object, with how it has to do with it, and what it waits for.
std::string process_view(const inspect::Snapshot& all, pid_t pid);

}  // namespace tenon::cli
