#include <guard/paths.hpp>

#include <tenon/os/clock.hpp>

namespace guard {

void Paths::await_clock() {
  const std::int64_t start = tenon::file_clock_now();
  while (!tenon::is_past_file_time(tenon::file_clock_now(), start)) {
  }
}

}  // namespace guard
