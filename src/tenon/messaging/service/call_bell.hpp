#pragma once
/// What poll(2) hears of one call among several of a client: the client's own descriptor, and that another call's look
/// has taken something for this one. epoll(7), eventfd(2)
///
/// Threads: one at a time.
#include <tenon/os/fd.hpp>

namespace tenon {

class CallBell {
 public:
  /// Failures: limit_reached (descriptors).
  static Result<CallBell> create(FdView inbox);

  /// Readable at first, once it was rung, and while the inbox is.
  FdView fd() const noexcept { return both_.view(); }
  void ring() noexcept;
  void silence() noexcept;

 private:
  CallBell(Fd both, Fd rung) noexcept : both_(std::move(both)), rung_(std::move(rung)) {}
  Fd both_;
  Fd rung_;
};

}  // namespace tenon
