#pragma once
/// When a message was published, for as little as the processor's counter costs. clock_gettime(2), rdtsc
///
/// Where the kernel itself keeps time by the processor's counter, that is read, and turned into a time by who asks for
/// one: between two moments at which both the counter and CLOCK_MONOTONIC were read, time runs evenly. Elsewhere
/// CLOCK_MONOTONIC is read for each message.
#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <tenon/os/clock.hpp>

namespace tenon {

enum class MessageClock : std::uint32_t { monotonic = 0, counter = 1 };

/// What the kernel keeps time by; looked up once.
MessageClock message_clock() noexcept;

/// What the clock shows.
inline std::uint64_t read_clock(MessageClock clock) noexcept {
#if defined(__x86_64__)
  if (clock == MessageClock::counter) [[likely]] {
    return __rdtsc();
  }
#endif
  static_cast<void>(clock);
  return static_cast<std::uint64_t>(monotonic_now());
}

/// A moment on both clocks.
struct ClockPair {
  std::uint64_t ticks = 0;
  std::int64_t ns = 0;
};
ClockPair read_clock_pair(MessageClock clock) noexcept;

/// By what a publisher stamps its messages.
enum class StampKind : std::uint8_t { none, monotonic, counter };
struct ClockOrigin {
  ClockPair pair;  ///< a moment before its first message
  StampKind kind = StampKind::none;
};
/// What CLOCK_MONOTONIC showed when a message was stamped; 0 where none are. Reads both clocks.
std::int64_t time_of_message(std::uint64_t ticks, const ClockOrigin& origin) noexcept;

/// What CLOCK_MONOTONIC showed at `ticks`, from an earlier pair and one read just now. Whatever a publisher wrote.
std::int64_t monotonic_at(std::uint64_t ticks, const ClockPair& earlier, const ClockPair& now) noexcept;

}  // namespace tenon
