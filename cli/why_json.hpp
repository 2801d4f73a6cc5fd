#pragma once
/// Chains of waits for programs. docs/schema/why.json
#include <tenon/inspect/why/chain.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::cli {

/// The whole output of tenon why --json. `now` is CLOCK_MONOTONIC, nanoseconds.
std::string why_json(const inspect::Snapshot& all, const std::vector<inspect::Chain>& chains, std::int64_t now);

}  // namespace tenon::cli
