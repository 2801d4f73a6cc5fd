#pragma once
/// The clocks that Tenon waits and measures by. clock_gettime(2)
#include <tenon/base/deadline.hpp>
#include <tenon/base/result.hpp>

#include <cstdint>
#include <ctime>

namespace tenon {

/// CLOCK_MONOTONIC in nanoseconds.
std::int64_t monotonic_now() noexcept;
/// CLOCK_REALTIME in nanoseconds since 1970: for showing to people, never for waiting.
std::int64_t realtime_now() noexcept;
/// Processor time of the whole process, in nanoseconds.
std::int64_t processor_time() noexcept;

/// `nanoseconds` is not negative.
timespec timespec_of(std::int64_t nanoseconds) noexcept;

/// Waits until the deadline, which must come or carry a Stop. Outcomes: timed_out (the deadline came: the normal
/// end), stopped.
Result<void> sleep_until(Deadline deadline);

}  // namespace tenon
