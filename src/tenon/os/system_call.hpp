#pragma once
/// Calls that a signal may interrupt. signal(7)
#include <cerrno>

namespace tenon {

/// Repeats `call` while it returns -1 with EINTR. For calls that do not wait, or wait for ever: a call with a
/// relative timeout would start its clock again.
template <class Call>
auto uninterrupted(Call&& call) noexcept(noexcept(call())) {
  while (true) {
    const auto returned = call();
    if (returned != -1 || errno != EINTR) [[likely]] {
      return returned;
    }
  }
}

}  // namespace tenon
