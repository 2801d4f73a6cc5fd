#pragma once
/// Asks for a cache line before it is needed.

namespace tenon {

/// It will be written: taken away from whoever has it, where a load would only share it, and cost a second way.
inline void prefetch_for_writing(const void* line) noexcept {
#if defined(__x86_64__)
  // The compiler's own builtin says this only where it may assume newer processors; all of 64 bits take it.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1, 3);
#endif
}

}  // namespace tenon
