#pragma once
/// Ends a test that hangs, and says where.
///
///     const kit::Watchdog watchdog("the reader gets the last message");
///
/// When the limit is over, the process prints the sentence and the stack of the thread that made the watchdog, kills
/// all its descendants and aborts. It works by a timer and a signal rather than a thread, so it may be used before
/// and after fork(); a child does not inherit it and sets its own. Where it cannot bite: a thread that blocks
/// `Watchdog::signal_number()` or sleeps uninterruptibly in the kernel, and, under ThreadSanitizer, one that spins
/// without making a call.
#include <kit/patience.hpp>

#include <ctime>

namespace kit {

class Watchdog {
 public:
  /// `sentence` must outlive the watchdog. The limit is stretched by slowness().
  explicit Watchdog(const char* sentence, Duration limit = default_limit);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  static int signal_number() noexcept;

 private:
  timer_t timer_{};
};

}  // namespace kit
