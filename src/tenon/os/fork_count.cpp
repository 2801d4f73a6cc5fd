#include <tenon/os/fork_count.hpp>

#include <tenon/base/contract.hpp>

#include <pthread.h>

namespace tenon {

std::uint32_t ForkCount::begin() noexcept {
  static const int error = ::pthread_atfork(nullptr, nullptr, [] { ++count_; });
  expects(error == 0, "there is memory for one more handler of forks");
  return count_;
}

}  // namespace tenon
