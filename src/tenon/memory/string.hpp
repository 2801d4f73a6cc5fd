#pragma once
/// A text that grows, in a segment: a named object, or a member of one. Any bytes, NUL too.
#include <tenon/memory/element_row.hpp>

#include <cstdint>
#include <string_view>

namespace tenon {

/// Each call is whole or has not happened, also when the caller is killed in it, and says no_space with its content as
/// it was.
///
/// Threads: whoever holds the segment's lock.
class String {
 public:
  static constexpr std::string_view type_name = "String";

  String() noexcept = default;
  String(const String&) = delete;
  String& operator=(const String&) = delete;

  /// `text` may be a part of its own. Failures: no_space, corrupt.
  Result<void> assign(LockedSegment& segment, std::string_view text) {
    return row(segment).and_then([&](ElementRow row) { return row.assign(text.data(), text.size()); });
  }
  /// Likewise.
  Result<void> append(LockedSegment& segment, std::string_view text) {
    return row(segment).and_then([&](ElementRow row) { return row.append(text.data(), text.size()); });
  }
  /// Gives back all memory. Failures: corrupt.
  Result<void> clear(LockedSegment& segment) {
    return row(segment).and_then([](ElementRow row) { return row.clear(); });
  }

  /// Good until the next call that changes it. Failures: corrupt.
  Result<std::string_view> view(LockedSegment& segment) {
    return row(segment).transform([](ElementRow row) {
      return std::string_view(reinterpret_cast<const char*>(row.elements()), static_cast<std::size_t>(row.size()));
    });
  }
  /// Under the lock.
  std::uint64_t size() const noexcept { return loaded(layout_.size); }

 private:
  Result<ElementRow> row(LockedSegment& segment) {
    return ElementRow::in(segment, layout_, {.size = 1, .alignment = 1});
  }

  RowLayout layout_;
};

}  // namespace tenon
