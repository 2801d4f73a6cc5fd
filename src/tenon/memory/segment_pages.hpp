#pragma once
/// What is asked of the kernel for the pages of a map. madvise(2), mlock(2)
#include <tenon/base/bytes.hpp>
#include <tenon/base/result.hpp>

namespace tenon {

struct SegmentMap;

/// Failures: no_space and no_memory (there are not so many pages), limit_reached (RLIMIT_MEMLOCK), not_supported
/// (populating before Linux 5.14).
Result<void> prepare_pages(MutableBytes memory, const SegmentMap& map);

}  // namespace tenon
