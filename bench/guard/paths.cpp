#include <guard/paths.hpp>

#include <tenon/os/clock.hpp>

namespace guard {

// From the fine clock on: a kernel that dates changes finer than its coarse clock may date one ahead of it.
void Paths::await_clock() {
  const std::int64_t start = tenon::realtime_now();
  while (!tenon::is_past_file_time(tenon::file_clock_now(), start)) {
  }
}

}  // namespace guard
