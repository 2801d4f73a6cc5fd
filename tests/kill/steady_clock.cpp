// The clocks of the kill table. For a process that wants them steady each reading is a microsecond later than the one
// before, however long an instruction takes under the harness: so what is due after 50 ms is not due in the recording
// alone. Other processes' may be ahead of the kernel's. The clock that files are stamped by is never later than any
// stamp: for such a process each directory may have changed once more. clock_gettime(2)
#include <kit/steady.hpp>
#include <tenon/os/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <dlfcn.h>

namespace {

using Read = int (*)(clockid_t, timespec*);

// Found before the first fork, and before there are threads.
Read real_clock() {
  static const Read read = reinterpret_cast<Read>(::dlsym(RTLD_NEXT, "clock_gettime"));
  return read;
}
[[maybe_unused]] const Read found_at_start = real_clock();

constexpr std::int64_t nanoseconds_in_second = 1'000'000'000;
constexpr std::int64_t between_readings = 1000;
std::array<std::int64_t, 2> last_reading = {};  // CLOCK_REALTIME, CLOCK_MONOTONIC

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (kit::wants_steady_clock && clock == CLOCK_MONOTONIC_COARSE) {
    clock = CLOCK_MONOTONIC;  // whose ticks come when they come
  }
  const bool steady = kit::wants_steady_clock && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC);
  std::int64_t unsteady = 0;
  std::int64_t& last = steady ? last_reading[static_cast<std::size_t>(clock)] : unsteady;
  if (last != 0) {
    last += between_readings;
    *now = tenon::timespec_of(last);
    return 0;
  }
  const int status = real_clock()(clock, now);
  if (status == 0 && kit::wants_steady_clock && clock == CLOCK_REALTIME_COARSE) {
    now->tv_sec -= 3600;
  } else if (status == 0) {
    now->tv_sec += kit::clock_hours_ahead * 3600;
    last = now->tv_sec * nanoseconds_in_second + now->tv_nsec;
  }
  return status;
}
