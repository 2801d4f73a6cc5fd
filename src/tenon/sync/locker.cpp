#include <tenon/sync/locker.hpp>

#include <tenon/base/contract.hpp>

#include <atomic>
#include <pthread.h>

namespace tenon {

constinit thread_local std::uint32_t Locker::self_ = 0;
// Written in a forked child alone, before it has a second thread.
constinit std::uint64_t Locker::forks_ = 0;

void Locker::watch_forks() noexcept {
  static const int error = ::pthread_atfork(nullptr, nullptr, [] {
    number();
    ++forks_;
  });
  expects(error == 0, "there is memory for one more handler of forks");
}

void Locker::number() noexcept {
  static constinit std::atomic<std::uint32_t> last = 0;
  do {
    self_ = last.fetch_add(1, std::memory_order_relaxed) + 1;  // a number, which publishes nothing
  } while (self_ == 0);
}

std::uint32_t Locker::numbered() noexcept {
  watch_forks();
  number();
  return self_;
}

std::uint64_t Locker::forks() noexcept {
  watch_forks();
  return forks_;
}

}  // namespace tenon
