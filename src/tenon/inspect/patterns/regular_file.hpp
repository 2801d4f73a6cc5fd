#pragma once
/// Opening what others may have put there. open(2), O_PATH
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <string>

namespace tenon::inspect {

/// Opens a regular file for reading. What stands there is looked at first, through a descriptor that opens nothing: a
/// FIFO, once opened, would have had a reader, and let a writer go on who waits for one. Outcomes: not_found.
/// Failures: wrong_kind (no regular file), permission_denied, limit_reached, would_block (somebody has a lease on it),
/// not_supported (/proc is not mounted).
Result<Fd> open_regular(FdView directory, const std::string& name);

}  // namespace tenon::inspect
