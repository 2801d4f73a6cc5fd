#pragma once
/// On which processor the caller runs, and how it waits there without sleeping. rseq(2), sched_getcpu(3)
///
/// Threads: any. A moment later it may be another.
#include <cstdint>
#include <sched.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif

namespace tenon {

/// Its number. The C library registers with the kernel a place where the kernel keeps it, so that it is a load; where
/// it has not, a call.
inline std::uint16_t own_processor() noexcept {
#if __has_include(<sys/rseq.h>) && defined(__x86_64__)
  const auto* const area = reinterpret_cast<const struct rseq*>(  // as rseq's documentation in the C library has it
      static_cast<const char*>(__builtin_thread_pointer()) + __rseq_offset);
  const auto kept = static_cast<std::int32_t>(*const_cast<const volatile __u32*>(&area->cpu_id));
  if (__rseq_size != 0 && kept >= 0) [[likely]] {
    return static_cast<std::uint16_t>(kept);
  }
#endif
  return static_cast<std::uint16_t>(::sched_getcpu());
}

/// Tells the processor that this is a loop that waits: some 25 ns on recent x86.
inline void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace tenon
