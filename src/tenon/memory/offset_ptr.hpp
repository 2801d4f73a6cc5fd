#pragma once
/// Where something stands in a segment, in 64 bits that mean the same in every process.
///
/// Counted from the segment's first byte, not from the pointer's own place: so it may be copied and moved bytewise, by
/// a container that grows, by a journal that puts an old value back, by a program in another language. The price is
/// that who follows it says in which segment (LockedSegment::at), which is also where it is held against the segment's
/// bounds: what stands in shared memory is believed by nobody.
#include <tenon/memory/type_description.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

/// Null is 0: the header stands there, and no object does.
template <class T>
class OffsetPtr {
 public:
  constexpr OffsetPtr() noexcept = default;
  constexpr OffsetPtr(std::nullptr_t) noexcept {}
  /// Bytes from the segment's first one; nothing is checked before it is followed.
  static constexpr OffsetPtr from(std::uint64_t offset) noexcept {
    OffsetPtr made;
    made.offset_ = offset;
    return made;
  }

  constexpr std::uint64_t offset() const noexcept { return offset_; }
  constexpr explicit operator bool() const noexcept { return offset_ != 0; }
  friend constexpr auto operator<=>(OffsetPtr, OffsetPtr) = default;

 private:
  friend class LockedSegment;  // whose journal keeps the old value of the very word

  std::uint64_t offset_ = 0;
};

template <NamedType T>
struct TypeNameOf<OffsetPtr<T>> {
  static constexpr TypeText value = type_text<T>("OffsetPtr");
};

static_assert(sizeof(OffsetPtr<int>) == 8 && std::is_trivially_copyable_v<OffsetPtr<int>>);
static_assert(std::is_standard_layout_v<OffsetPtr<int>>);

}  // namespace tenon
