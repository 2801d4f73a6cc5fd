#pragma once
/// Elements in a row in a segment, of any size: what Vector and String are made of.
///
/// Every change is whole or has not happened. A longer row is written into a new block, which takes the old one's place
/// in one transaction; elements behind the last are written before they count; what lies between moves by way of a gap.
///
///     byte 0       8      16         24
///          | elements | size | capacity |
///          | u64      | u64  | u64      |
///
/// Threads: whoever holds the segment's lock.
#include <tenon/memory/locked_segment.hpp>

#include <cstdint>

namespace tenon {

struct RowLayout {
  std::uint64_t elements = 0;  ///< where they stand; 0: there is no room for any
  std::uint64_t size = 0;
  std::uint64_t capacity = 0;
};
static_assert(sizeof(RowLayout) == 24);

struct RowElement {
  std::uint64_t size;
  std::uint64_t alignment;
};

/// A row that was held against the segment's bounds.
class ElementRow {
 public:
  /// Failures: corrupt.
  static Result<ElementRow> in(LockedSegment& segment, RowLayout& layout, RowElement element);

  std::byte* elements() const noexcept { return segment_->arena().base() + elements_; }
  std::uint64_t size() const noexcept { return size_; }

  /// Failures: no_space, corrupt.
  Result<void> reserve(std::uint64_t capacity);
  /// `elements` may be some of this row. Failures: no_space, corrupt.
  Result<void> append(const void* elements, std::uint64_t count);
  /// All that is in it is replaced. `elements` may be some of this row. Failures: no_space, corrupt.
  Result<void> assign(const void* elements, std::uint64_t count);
  /// Before the element at `index`; `element` is none of this row. Failures: no_space, corrupt.
  Result<void> insert(std::uint64_t index, const void* element);
  void erase(std::uint64_t index);
  /// `element` has at most 1024 bytes.
  void set(std::uint64_t index, const void* element);
  /// Gives back all memory. Failures: corrupt.
  Result<void> clear();

 private:
  ElementRow(LockedSegment& segment, RowLayout& layout, RowElement element) noexcept
      : segment_(&segment), layout_(&layout), element_(element) {}
  bool look() noexcept;
  Result<void> move_to(std::uint64_t capacity, std::uint64_t kept, const void* more, std::uint64_t count);
  void count(std::uint64_t size) noexcept;
  std::uint64_t larger(std::uint64_t needed) const noexcept;

  LockedSegment* segment_;
  RowLayout* layout_;
  RowElement element_;
  std::uint64_t elements_ = 0;  // as they were when they were checked
  std::uint64_t size_ = 0;
  std::uint64_t capacity_ = 0;
};

}  // namespace tenon
