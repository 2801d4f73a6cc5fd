#pragma once
/// The unit in which processors hand memory to each other.
#include <cstddef>

namespace tenon {

/// Bytes of one cache line. Fixed rather than std::hardware_destructive_interference_size, because it
/// shapes layouts that processes built by different compilers share.
inline constexpr std::size_t cache_line = 64;

}  // namespace tenon
