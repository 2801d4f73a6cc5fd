#pragma once
/// How long tests wait before they call something hung.
#include <chrono>
#include <cstdint>

namespace kit {

using Duration = std::chrono::milliseconds;

/// By how much this process is slower than a plain build: 1, more under a sanitizer or Valgrind. The environment
/// variable TENON_PATIENCE multiplies it further, for machines under load.
int slowness() noexcept;

/// With what this program was built; the other sanitizers are cheap and make no difference to tests.
enum class Sanitizer : std::uint8_t { none, address, thread };
Sanitizer sanitizer() noexcept;

/// `limit`, stretched by slowness().
inline Duration patient(Duration limit) noexcept { return limit * slowness(); }

/// What a test may take when nothing else was said.
inline constexpr Duration default_limit = std::chrono::seconds(20);

}  // namespace kit
