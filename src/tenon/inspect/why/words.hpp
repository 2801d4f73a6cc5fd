#pragma once
/// A chain in words, and what to do about it. Any byte may stand in names: whoever prints them escapes them.
#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/phrases.hpp>

#include <cstdint>
#include <string>

namespace tenon::inspect {

/// "python (812) waits 14 s in mq_timedreceive on /jobs, which is empty; it can be written by worker (815), which …".
/// `now` is CLOCK_MONOTONIC, nanoseconds.
std::string sentence(const Snapshot& all, const Chain& chain, std::int64_t now);

/// What would let it go on, in the imperative; "" for a chain that is not stuck and needs nobody.
std::string remedy(const Snapshot& all, const Chain& chain);

}  // namespace tenon::inspect
