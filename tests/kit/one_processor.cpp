#include <kit/one_processor.hpp>

#include <sched.h>

namespace kit {

namespace {

thread_local int alive = 0;
thread_local cpu_set_t before;

}  // namespace

// Where the kernel refuses, the thread goes on as it was: only slower.
OneProcessor::OneProcessor() {
  if (alive++ > 0) {
    return;
  }
  ::sched_getaffinity(0, sizeof before, &before);
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof here, &here);
}

OneProcessor::~OneProcessor() {
  if (--alive == 0) {
    ::sched_setaffinity(0, sizeof before, &before);
  }
}

}  // namespace kit
