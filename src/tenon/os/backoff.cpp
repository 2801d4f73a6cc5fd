#include <tenon/os/backoff.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/stop.hpp>

#include <algorithm>

namespace tenon {

Result<void> Backoff::sleep() {
  constexpr int part = 8;
  if (stop_requested(deadline_)) {
    return fail(Errc::stopped, "sleep");
  }
  // One that ended with the deadline was followed by a look after it.
  if (last_look_ || deadline_.is_immediate()) {
    return fail(Errc::timed_out, "sleep");
  }
  const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(Deadline::Clock::now() - began_);
  auto slept = sleep_until(deadline_.or_sooner(after(std::clamp(waited / part, shortest, longest))));
  if (slept.failed_with(Errc::stopped)) {
    return slept;
  }
  last_look_ = deadline_.passed();
  return {};
}

}  // namespace tenon
