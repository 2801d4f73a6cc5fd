#pragma once
/// In which list a free block stands: by the power of two of its size, and sixteen steps within it (two-level
/// segregated fit). Below 256 bytes each multiple of 16 has its own.
#include <tenon/memory/segment_layout.hpp>

#include <bit>
#include <cstdint>

namespace tenon {

inline constexpr std::uint64_t block_grain = 16;
inline constexpr std::uint64_t smallest_block = sizeof(FreeBlock);

struct BlockClass {
  unsigned range;
  unsigned step;
  friend constexpr bool operator==(BlockClass, BlockClass) = default;
};

/// Of blocks of `size` bytes, a multiple of 16 and less than segment_most_bytes.
constexpr BlockClass class_of(std::uint64_t size) noexcept {
  constexpr std::uint64_t linear = block_grain * FreeBlocksLayout::steps;
  if (size < linear) {
    return {.range = 0, .step = static_cast<unsigned>(size / block_grain)};
  }
  const unsigned top = static_cast<unsigned>(std::bit_width(size)) - 1;
  return {.range = top - 7, .step = static_cast<unsigned>(size >> (top - 4) & (FreeBlocksLayout::steps - 1))};
}

/// The first class whose every block has `size` bytes or more.
constexpr BlockClass class_that_fits(std::uint64_t size) noexcept {
  constexpr std::uint64_t linear = block_grain * FreeBlocksLayout::steps;
  if (size < linear) {
    return class_of(size);
  }
  const unsigned top = static_cast<unsigned>(std::bit_width(size)) - 1;
  return class_of(size + (std::uint64_t{1} << (top - 4)) - 1);
}

static_assert(class_of(32) == BlockClass{.range = 0, .step = 2} && class_of(256) == BlockClass{.range = 1, .step = 0});
static_assert(class_of(segment_most_bytes - 16) == BlockClass{.range = 31, .step = 15});
static_assert(class_that_fits(272) == class_of(272) && class_that_fits(528) == class_of(544));

}  // namespace tenon
