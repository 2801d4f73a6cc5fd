#include <tenon/os/stop.hpp>

#include <tenon/os/futex.hpp>

#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tenon {

Result<Stop> Stop::create() {
  return fd_from(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd").transform([](Fd fd) {
    return Stop(std::move(fd), std::make_unique<std::atomic<std::uint32_t>>(0));
  });
}

void Stop::request() noexcept {
  const int saved = errno;                     // a signal handler must leave it as it found it
  word_->store(1, std::memory_order_release);  // S1: what the requester did before is seen by whoever is stopped
  futex_wake_all(*word_);
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then the descriptor is readable as it should be.
  [[maybe_unused]] const auto written = ::write(fd_.raw(), &one, sizeof one);
  errno = saved;
}

bool Stop::requested() const noexcept {
  return word_->load(std::memory_order_acquire) != 0;  // S1
}

}  // namespace tenon
