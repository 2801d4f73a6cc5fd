#pragma once
/// Whether an object is still what a snapshot showed: asked right before it is taken away for what it was then.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>

namespace tenon::cli {

/// Of System V objects: nobody has used, attached or changed it since, nor sleeps there. Of others: the name leads to
/// the same inode. Outcomes: not_found, stale (it has been used since, or another has its name). Failures:
/// permission_denied.
Result<void> check_unchanged(const inspect::Snapshot& all, std::size_t object);

}  // namespace tenon::cli
