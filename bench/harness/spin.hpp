#pragma once
/// Waiting without sleeping.
#include <cstdint>
#include <sched.h>

namespace harness {

/// One pause of a spinning processor. It costs some 25 ns on recent x86 processors: more than most loads.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Loads again and again until `condition()` holds, without a pause in between: that is what reaches the limit. It
/// lets others run now and then, since the awaited process may need this very processor.
template <class Condition>
void spin_until(Condition condition) {
  while (true) {
    for (std::uint32_t tries = 0; tries < 20'000; ++tries) {
      if (condition()) [[likely]] {
        return;
      }
    }
    ::sched_yield();
  }
}

/// As spin_until, with a pause after each look: for loops that must not chase their peer.
template <class Condition>
void relaxed_spin_until(Condition condition) {
  while (true) {
    for (std::uint32_t tries = 0; tries < 1'000; ++tries) {
      if (condition()) [[likely]] {
        return;
      }
      relax();
    }
    ::sched_yield();
  }
}

}  // namespace harness
