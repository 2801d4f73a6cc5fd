#include <kit/watchdog.hpp>

#include <kit/descendants.hpp>
#include <tenon/base/contract.hpp>
#include <tenon/os/clock.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <unistd.h>

namespace kit {

namespace {

void say(const char* text) noexcept { (void)!::write(STDERR_FILENO, text, std::strlen(text)); }

// Runs on the hung thread, so its own stack is the one to show. Nothing here allocates: the hang may be in malloc().
void bite(int, siginfo_t* info, void*) noexcept {
  say("\nWatchdog: this did not end in time: ");
  say(static_cast<const char*>(info->si_value.sival_ptr));
  say("\n");
  std::array<void*, 64> frames;
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  kill_descendants();
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

void install_handler() {
  std::array<void*, 2> frames;
  ::backtrace(frames.data(), static_cast<int>(frames.size()));  // the first use loads a library: not in the handler
  struct sigaction action{};
  action.sa_sigaction = bite;
  action.sa_flags = SA_SIGINFO;
  ::sigfillset(&action.sa_mask);
  ::sigaction(Watchdog::signal_number(), &action, nullptr);
}

}  // namespace

int Watchdog::signal_number() noexcept { return SIGRTMAX - 1; }

Watchdog::Watchdog(const char* sentence, Duration limit) {
  static const bool installed = (install_handler(), true);
  (void)installed;
  struct sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_number();
  event.sigev_value.sival_ptr = const_cast<char*>(sentence);
  event._sigev_un._tid = ::gettid();  // glibc 2.36 has no sigev_notify_thread_id
  tenon::expects(::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0, "a watchdog needs a timer");
  struct itimerspec due{};
  due.it_value = tenon::timespec_of(std::chrono::nanoseconds(patient(limit)).count());
  tenon::expects(::timer_settime(timer_, 0, &due, nullptr) == 0, "a watchdog's limit is a time");
}

// In a child the timer does not exist, and then the call refuses it: timers are not inherited.
Watchdog::~Watchdog() { ::timer_delete(timer_); }

}  // namespace kit
