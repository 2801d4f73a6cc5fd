#pragma once
/// Bytes that the kernel moves from one descriptor to another, of which at least one is a pipe. splice(2), tee(2)
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <cstddef>

namespace tenon {

/// Moves up to `most` bytes (at least 1) and returns how many, 0 at the end of `from`. Whoever waits for `from` is told
/// at once when nobody takes from `to` any more. Outcomes: timed_out, stopped, closed. Failures: invalid_argument (0
/// bytes asked for). splice(2)
Result<std::size_t> splice_between(FdView from, FdView to, std::size_t most, Deadline deadline);

/// The same from pipe to pipe, and the bytes stay in `from` too. tee(2)
Result<std::size_t> tee_between(FdView from, FdView to, std::size_t most, Deadline deadline);

}  // namespace tenon
