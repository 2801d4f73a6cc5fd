#pragma once
/// The part of a segment's header that never changes: how it is written, and what is believed of it.
#include <tenon/base/result.hpp>
#include <tenon/memory/segment_state.hpp>
#include <tenon/memory/type_description.hpp>
#include <tenon/os/mapping.hpp>

#include <cstdint>

namespace tenon {

/// Makes a segment in zeroed memory that nobody else sees yet.
void write_segment(MutableBytes memory, std::uint64_t most, const TypeDescription& type) noexcept;

/// Looks at a private copy of a header, of memory that has `backed` bytes by the kernel's count, and returns the
/// segment's `most`. Failures: wrong_kind, version_mismatch, type_mismatch, not_supported (a mode of later versions),
/// corrupt.
Result<std::uint64_t> check_segment(const SegmentHeader& copy, std::uint64_t backed, const TypeDescription& wanted);

}  // namespace tenon
