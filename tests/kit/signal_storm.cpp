#include <kit/signal_storm.hpp>

#include <tenon/base/contract.hpp>

#include <atomic>
#include <csignal>
#include <sched.h>
#include <unistd.h>

namespace kit {

namespace {

std::atomic<std::uint32_t> signals{0};
struct sigaction action_before{};

void count_signal(int) { ++signals; }

}  // namespace

SignalStorm::SignalStorm() {
  signals = 0;
  struct sigaction action{};
  action.sa_handler = count_signal;
  ::sigaction(SIGALRM, &action, &action_before);
  struct sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGALRM;
  event._sigev_un._tid = ::gettid();
  const bool made = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  tenon::expects(made, "a process may have another timer");
  constexpr timespec period{.tv_sec = 0, .tv_nsec = 200'000};
  const itimerspec repeated{.it_interval = period, .it_value = period};
  ::timer_settime(timer_, 0, &repeated, nullptr);
}

SignalStorm::~SignalStorm() {
  ::timer_delete(timer_);
  ::sigaction(SIGALRM, &action_before, nullptr);
}

std::uint32_t SignalStorm::count() const noexcept { return signals; }

void SignalStorm::await(std::uint32_t wanted) const noexcept {
  while (signals < wanted) {
    sched_yield();
  }
}

}  // namespace kit
