#pragma once
/// Borrowed runs of bytes: what is sent, and where to put what is received.
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace tenon {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// The characters of a text, without a terminating NUL.
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// The object representation of one trivially copyable value.
template <class T>
  requires std::is_trivially_copyable_v<T>
Bytes bytes_of_value(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <class T>
  requires std::is_trivially_copyable_v<T>
MutableBytes mutable_bytes_of_value(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace tenon
