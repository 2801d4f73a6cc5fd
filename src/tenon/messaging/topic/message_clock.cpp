#include <tenon/messaging/topic/message_clock.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <string>

namespace tenon {

MessageClock message_clock() noexcept {
#if defined(__x86_64__)
  static const bool by_counter = [] {
    const auto source = procfs::text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    return source && source->starts_with("tsc");
  }();
  return by_counter ? MessageClock::counter : MessageClock::monotonic;
#else
  return MessageClock::monotonic;
#endif
}

ClockPair read_clock_pair(MessageClock clock) noexcept {
  // The narrowest of a few: an interrupt in between would count as the clock's.
  ClockPair best;
  std::uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t before = read_clock(clock);
    const std::int64_t ns = monotonic_now();
    const std::uint64_t after = read_clock(clock);
    if (after - before < narrowest) {
      narrowest = after - before;
      best = {.ticks = before + (after - before) / 2, .ns = ns};
    }
  }
  return best;
}

std::int64_t monotonic_at(std::uint64_t ticks, const ClockPair& earlier, const ClockPair& now) noexcept {
  const auto ticks_between = static_cast<double>(static_cast<std::int64_t>(now.ticks - earlier.ticks));
  const auto ns_between = static_cast<double>(now.ns - earlier.ns);
  const auto since = static_cast<double>(static_cast<std::int64_t>(ticks - earlier.ticks));
  if (!(ticks_between > 0) || !(ns_between > 0)) {
    return now.ns;
  }
  // Held within what is possible, so that figures which nobody can have written overflow nothing.
  const double share = std::clamp(since / ticks_between, 0.0, 1.0);
  return earlier.ns + static_cast<std::int64_t>(share * ns_between);
}

std::int64_t time_of_message(std::uint64_t ticks, const ClockOrigin& origin) noexcept {
  switch (origin.kind) {
    case StampKind::counter:
      return monotonic_at(ticks, origin.pair, read_clock_pair(MessageClock::counter));
    case StampKind::monotonic:
      return static_cast<std::int64_t>(ticks);
    default:
      return 0;
  }
}

}  // namespace tenon
