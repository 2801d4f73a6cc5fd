#pragma once
/// Keeping off the numbers of the standard descriptors. stdin(3)
#include <tenon/os/fd.hpp>

namespace tenon {

/// The same open file under a number of 3 or more, which is `fd` itself as a rule. A program started without standard
/// descriptors gets their numbers for the next files it opens; whoever then writes to standard output, or puts a
/// descriptor in its place, hits those files. Failures: limit_reached.
Result<Fd> above_standard(Fd fd);

}  // namespace tenon
