#pragma once
/// An Event that poll(2) hears, too: an eventfd rings beside it. eventfd(2)
///
/// The Event in shared memory is the truth; the descriptor is its bell. Whoever polls it and finds it readable calls
/// try_wait(), which says whether the event is set, and silences a bell that rang for nothing. Each process has a
/// descriptor of the same eventfd, inherited or sent over a Unix socket, and this handle over both.
///
/// If a process dies here: between setting and ringing, or between silencing and looking again, the event is set and
/// the bell silent. So who polls does it for recheck_interval at a time, and calls try_wait() after each.
///
/// Threads: all calls from any thread. fork: works in the child.
#include <tenon/os/fd.hpp>
#include <tenon/sync/event.hpp>

namespace tenon {

class PollableEvent {
 public:
  /// A descriptor to inherit or to send. Failures: limit_reached (descriptors).
  static Result<Fd> make_bell();
  /// Borrows both, which outlive the handle. Failures: invalid_argument (the descriptor would block: it is none that
  /// make_bell() made).
  static Result<PollableEvent> over(Event& event, FdView bell);

  /// Failures: those of write(2), after the event was set.
  Result<void> set();
  Result<void> reset();
  /// Outcomes: would_block, after which the descriptor is not readable before the event is set again.
  Result<void> try_wait();

  /// Readable while the event may be set.
  FdView fd() const noexcept { return bell_; }
  Event& event() const noexcept { return *event_; }

 private:
  PollableEvent(Event& event, FdView bell) noexcept : event_(&event), bell_(bell) {}
  Result<void> ring();
  Result<void> silence();

  Event* event_;
  FdView bell_;
};

}  // namespace tenon
