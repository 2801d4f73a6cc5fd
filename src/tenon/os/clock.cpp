#include <tenon/os/clock.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/os/poll.hpp>

#include <cerrno>

namespace tenon {

namespace {

constexpr std::int64_t per_second = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * per_second + now.tv_nsec;
}

}  // namespace

std::int64_t monotonic_now() noexcept { return read_clock(CLOCK_MONOTONIC); }
std::int64_t realtime_now() noexcept { return read_clock(CLOCK_REALTIME); }
std::int64_t file_clock_now() noexcept { return read_clock(CLOCK_REALTIME_COARSE); }
bool is_past_file_time(std::int64_t asked, std::int64_t time) noexcept {
  static const std::int64_t tick = [] {
    timespec step{};
    ::clock_getres(CLOCK_REALTIME_COARSE, &step);
    return step.tv_nsec;
  }();
  return asked - time > tick;
}
std::int64_t processor_time() noexcept { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

timespec timespec_of(std::int64_t nanoseconds) noexcept {
  expects(nanoseconds >= 0, "a timespec holds no negative time");
  return {.tv_sec = nanoseconds / per_second, .tv_nsec = nanoseconds % per_second};
}

Result<void> sleep_until(Deadline deadline) {
  expects(!deadline.is_unconditional(), "a sleep needs a deadline or a stop");
  if (deadline.stop() != nullptr) {
    return wait_any({}, deadline);
  }
  // Nothing else can end it: this takes a sixth less of the processor than a poll of no descriptors.
  const timespec until = timespec_of(deadline.nanoseconds());
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
  return fail(Errc::timed_out, "clock_nanosleep");
}

}  // namespace tenon
