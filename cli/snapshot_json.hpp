#pragma once
/// A snapshot as JSON: docs/schema/ls.json.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace tenon::cli {

/// Those objects, the processes and waits that have to do with them, and what could not be seen. The objects of a wait
/// are told by their places in the list.
std::string snapshot_json(const inspect::Snapshot& all, std::span<const std::size_t> places);

}  // namespace tenon::cli
