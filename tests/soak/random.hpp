#pragma once
/// Chances that cost next to nothing beside a message of ten nanoseconds.
#include <cstdint>

namespace soak {

/// Marsaglia's xorshift64.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15 | 1) {}

  std::uint64_t next() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t limit) noexcept { return (next() >> 11) % limit; }
  /// True once in 2^bits times.
  bool rarely(unsigned bits) noexcept { return (next() >> 20 & ((std::uint64_t{1} << bits) - 1)) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace soak
