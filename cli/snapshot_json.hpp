#pragma once
/// A snapshot as JSON: docs/schema/ls.json.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tenon::cli {

/// Which waits are told: those for listed objects, or also those of which it is not known what they are for.
enum class Waits : std::uint8_t { of_listed, all };

/// Those objects, the processes and waits that have to do with them, and what could not be seen. The objects of a wait
/// are told by their places in the list.
std::string snapshot_json(const inspect::Snapshot& all, std::span<const std::size_t> places, Waits waits);

}  // namespace tenon::cli
