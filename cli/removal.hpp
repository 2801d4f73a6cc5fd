#pragma once
/// Taking an object away: the one call of its kind.
#include <tenon/inspect/snapshot.hpp>

namespace tenon::cli {

/// Removes exactly this object: by its identifier, or by its name after a last look that the name still leads to it.
/// Outcomes: not_found (somebody else was quicker), stale (another object has that name by now). Failures:
/// permission_denied, not_supported (a memfd has no name to take away: it goes with its last holder).
Result<void> remove(const inspect::Object& object);

}  // namespace tenon::cli
