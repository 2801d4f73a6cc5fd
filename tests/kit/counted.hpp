#pragma once
/// The bytes of a stream that a test knows beforehand: a lost, repeated or torn one is seen.
#include <tenon/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kit {

/// The byte at that place: its neighbours differ, and so do the places that are a power of two apart.
constexpr std::byte counted_byte(std::uint64_t at) noexcept {
  return static_cast<std::byte>((at * 0x9e3779b97f4a7c15U) >> 56);
}

inline void count_into(tenon::MutableBytes bytes, std::uint64_t from) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = counted_byte(from + i);
  }
}
/// The `size` bytes from that place on.
inline std::vector<std::byte> counted(std::size_t size, std::uint64_t from = 0) {
  std::vector<std::byte> made(size);
  count_into(made, from);
  return made;
}
/// Whether they are those from that place on.
inline bool is_counted(tenon::Bytes bytes, std::uint64_t from) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != counted_byte(from + i)) {
      return false;
    }
  }
  return true;
}

}  // namespace kit
