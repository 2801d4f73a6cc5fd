#pragma once
/// Keeps the calling thread on the processor on which it runs, and the children that it makes meanwhile.
/// sched_setaffinity(2)
///
/// For those who take turns, as a tracer and what it steps through: a turn costs a third on one processor of what it
/// costs between two, where each must first be woken. While several of these live, the first one's processor is all of
/// theirs, and with the last, on the same thread, that may run where it could before.
namespace kit {

class OneProcessor {
 public:
  OneProcessor();
  ~OneProcessor();
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;
};

}  // namespace kit
