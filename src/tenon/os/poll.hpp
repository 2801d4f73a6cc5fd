#pragma once
/// Waiting for descriptors. poll(2)
#include <tenon/base/deadline.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <span>

namespace tenon {

/// What a descriptor is ready for, as a set.
enum class Ready : std::uint8_t {
  nothing = 0,
  reading = 1,  ///< read() would not block
  writing = 2,  ///< write() would not block
  hang_up = 4,  ///< the other side has closed; always reported
  error = 8,    ///< an error is pending, or nobody can read what is written; always reported
};

constexpr Ready operator|(Ready a, Ready b) noexcept {
  return static_cast<Ready>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has(Ready set, Ready any_of) noexcept {
  return (static_cast<std::uint8_t>(set) & static_cast<std::uint8_t>(any_of)) != 0;
}

struct PollItem {
  FdView fd;
  Ready wanted = Ready::reading;
  Ready ready = Ready::nothing;  ///< set by wait_any
};

/// Sleeps until at least one item is ready. Outcomes: timed_out, stopped. At most 64 items: more belong in an epoll.
Result<void> wait_any(std::span<PollItem> items, Deadline deadline);

/// Sleeps until `fd` is ready; returns for what. Outcomes: timed_out, stopped.
Result<Ready> wait_ready(FdView fd, Ready wanted, Deadline deadline);

}  // namespace tenon
