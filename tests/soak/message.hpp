#pragma once
/// The messages of a soak. Each is words of which the first is its publisher, the second its number, and all others
/// follow from these two and the length: two messages of which each gave a part are told from either.
#include <tenon/memory/type_fields.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace soak {

/// Travels in an entry, in one cache line of it.
struct Short {
  std::array<std::uint64_t, 5> words;
};
TENON_FIELDS(Short, words);

/// Travels in a chunk.
struct Frame {
  std::array<std::uint64_t, 256> words;
};
TENON_FIELDS(Frame, words);

inline constexpr std::size_t shortest_slice = 3;  ///< words
inline constexpr std::size_t longest_slice = 2048;

inline std::uint64_t seal(std::uint64_t publisher, std::uint64_t number, std::size_t length) noexcept {
  std::uint64_t mixed = (number + length) * 0x9E3779B97F4A7C15 ^ publisher * 0xC2B2AE3D27D4EB4F;
  mixed ^= mixed >> 29;
  return mixed * 0xBF58476D1CE4E5B9;
}

inline void write(std::span<std::uint64_t> words, std::uint64_t publisher, std::uint64_t number) noexcept {
  const std::uint64_t first = seal(publisher, number, words.size());
  words[0] = publisher;
  words[1] = number;
  for (std::size_t i = 2; i < words.size(); ++i) {
    words[i] = first + i;
  }
}

inline bool is_whole(std::span<const std::uint64_t> words) noexcept {
  if (words.size() < shortest_slice) {
    return false;
  }
  const std::uint64_t first = seal(words[0], words[1], words.size());
  std::uint64_t differing = 0;
  for (std::size_t i = 2; i < words.size(); ++i) {
    differing |= words[i] ^ (first + i);
  }
  return differing == 0;
}

}  // namespace soak
