#pragma once
/// A type as people write it down on a command line, the same to all as one that a program lists by TENON_FIELDS.
///
///     Pose{f64 x, f64 y, f32 heading}      a name, and members of it in their order
///     Scan{u64 at, f32[8] ranges, FixedString<32> sensor}
///     f64                                  one number
///     Slice<f32>, Slice<Point>{f32 x, f32 y}, bytes     any number of them; `bytes` is Slice<u8>
///
/// Members are u8 to u64, i8 to i64, f32, f64, bool, char, rows of them, and FixedString<N>. They lie where a compiler
/// would put them.
#include <tenon/base/result.hpp>
#include <tenon/memory/type_record.hpp>

#include <string_view>

namespace tenon::cli {

/// Failures: invalid_argument, which says what is wrong with it.
Result<StoredType> type_in(std::string_view notation);

}  // namespace tenon::cli
