#pragma once
/// Elements in a row that grows, in a segment: a named object, or a member of one.
#include <tenon/memory/element_row.hpp>

#include <cstdint>
#include <span>
#include <type_traits>

namespace tenon {

/// Each call is whole or has not happened, also when the caller is killed in it, and says no_space with its content as
/// it was. Its elements are trivially copyable; it itself is not copied, for the copy would own the same memory.
///
/// Threads: whoever holds the segment's lock.
template <class T>
  requires std::is_trivially_copyable_v<T>
class Vector {
 public:
  /// Of a T that is set: what is kept of it has to fit into the journal.
  static constexpr std::size_t most_set_bytes = 1024;

  Vector() noexcept = default;
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  /// Failures: no_space, corrupt.
  Result<void> push_back(LockedSegment& segment, const T& element) {
    return row(segment).and_then([&](ElementRow row) { return row.append(&element, 1); });
  }
  /// Failures: no_space, corrupt.
  Result<void> append(LockedSegment& segment, std::span<const T> elements) {
    return row(segment).and_then([&](ElementRow row) { return row.append(elements.data(), elements.size()); });
  }
  /// Before the element at `index`, which is at most size(). Failures: no_space, corrupt.
  Result<void> insert(LockedSegment& segment, std::uint64_t index, const T& element) {
    const T copied = element;  // it may be one of its own
    return row(segment).and_then([&](ElementRow row) { return row.insert(index, &copied); });
  }
  /// Removes the element at `index`, which is less than size(). Failures: corrupt.
  Result<void> erase(LockedSegment& segment, std::uint64_t index) {
    return row(segment).transform([&](ElementRow row) { row.erase(index); });
  }
  /// Overwrites the element at `index`, which is less than size(): as a whole, which an assignment through elements()
  /// is not. Failures: corrupt.
  Result<void> set(LockedSegment& segment, std::uint64_t index, const T& element)
    requires(sizeof(T) <= most_set_bytes)
  {
    const T copied = element;
    return row(segment).transform([&](ElementRow row) { row.set(index, &copied); });
  }
  /// Failures: no_space, corrupt.
  Result<void> reserve(LockedSegment& segment, std::uint64_t capacity) {
    return row(segment).and_then([&](ElementRow row) { return row.reserve(capacity); });
  }
  /// Gives back all memory. Failures: corrupt.
  Result<void> clear(LockedSegment& segment) {
    return row(segment).and_then([](ElementRow row) { return row.clear(); });
  }

  /// Good until the next call that changes it. Failures: corrupt.
  Result<std::span<T>> elements(LockedSegment& segment) {
    return row(segment).transform([](ElementRow row) {
      return std::span<T>(reinterpret_cast<T*>(row.elements()), static_cast<std::size_t>(row.size()));
    });
  }
  /// Under the lock.
  std::uint64_t size() const noexcept { return loaded(layout_.size); }

 private:
  static_assert(alignof(T) <= Allocator::most_alignment);
  Result<ElementRow> row(LockedSegment& segment) {
    return ElementRow::in(segment, layout_, {.size = sizeof(T), .alignment = alignof(T)});
  }

  RowLayout layout_;
};

template <NamedType T>
struct TypeNameOf<Vector<T>> {
  static constexpr TypeText value = type_text<T>("Vector");
};

}  // namespace tenon
