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
/// CLOCK_REALTIME_COARSE in nanoseconds since 1970, which files are stamped by.
std::int64_t file_clock_now() noexcept;
/// Whether what is changed from now on bears another time than this one, which a file was seen to bear after
/// file_clock_now() was asked. By more than a tick: the kernel tells the clock to processes first.
bool is_past_file_time(std::int64_t asked, std::int64_t time) noexcept;
/// Processor time of the whole process, in nanoseconds.
std::int64_t processor_time() noexcept;

/// `nanoseconds` is not negative.
timespec timespec_of(std::int64_t nanoseconds) noexcept;

/// Waits until the deadline, which must come or carry a Stop. Outcomes: timed_out (the deadline came: the normal
/// end), stopped.
Result<void> sleep_until(Deadline deadline);

}  // namespace tenon
