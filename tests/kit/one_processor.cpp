#include <kit/one_processor.hpp>

#include <sched.h>

namespace kit {

namespace {

thread_local int alive = 0;
thread_local bool pinned = false;
thread_local cpu_set_t before;

}  // namespace

// Where the kernel refuses, the thread goes on as it was: only slower.
OneProcessor::OneProcessor() {
  if (alive++ > 0) {
    return;
  }
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  pinned = ::sched_getaffinity(0, sizeof before, &before) == 0 && ::sched_setaffinity(0, sizeof here, &here) == 0;
}

OneProcessor::~OneProcessor() {
  if (--alive == 0 && pinned) {
    ::sched_setaffinity(0, sizeof before, &before);
    pinned = false;
  }
}

}  // namespace kit
