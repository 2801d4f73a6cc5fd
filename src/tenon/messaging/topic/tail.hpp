#pragma once
/// A member of a message that names a row of elements in the message's own tail: how many, and where, from the
/// message's first byte on, so that it means the same wherever the message is mapped.
///
///     struct Scan {
///       double angle;
///       Tail<float> ranges;
///     };
///     TENON_FIELDS(Scan, angle, ranges);
///
/// It is set by Loan<Tailed<Scan>>::add() and followed by Sample<Tailed<Scan>>::tail(), which hold it against the
/// message's length.
#include <tenon/base/cache_line.hpp>
#include <tenon/memory/type_description.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

template <NamedType T>
  requires(std::is_trivially_copyable_v<T> && alignof(T) <= cache_line)
struct Tail {
  std::uint64_t at = 0;
  std::uint64_t count = 0;
};

template <NamedType T>
struct TypeNameOf<Tail<T>> {
  static constexpr TypeText value = type_text<T>("Tail");
};

}  // namespace tenon
