// Two processes that wake each other by the bare system call. futex(2)
//
// Layout: three lines of one word each: how often the asker has asked, how often the answerer has answered, and how
// long the answerer waited before it did.
//
//   S1  store-release of one's own word → load-acquire by the other: it has been asked, or answered.
#include <tenon/base/cache_line.hpp>
#include <limits/limit.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>

#include <atomic>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace limits {

namespace {

using tenon::MutableBytes;
using Word = std::uint32_t;
using Shared = std::atomic_ref<Word>;

struct FutexSignal {
  Word* own;
  Word* others;
  Word told = 0;
  Word seen = 0;

  void tell() {
    Shared(*own).store(++told, std::memory_order_release);  // S1
    ::syscall(SYS_futex, own, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  void await() {
    while (Shared(*others).load(std::memory_order_acquire) == seen) {  // S1
      ::syscall(SYS_futex, others, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    }
    ++seen;
  }
};

Limit ping_pong(Where where) {
  const auto end = [where](bool begins) {
    return [=](MutableBytes shared) {
      auto* first = reinterpret_cast<Word*>(shared.data());
      auto* second = reinterpret_cast<Word*>(shared.data() + tenon::cache_line);
      return SleepyEnd<FutexSignal>{
          .signal = {.own = begins ? first : second, .others = begins ? second : first},
          .answerers_wait = reinterpret_cast<std::int64_t*>(shared.data() + 2 * tenon::cache_line),
          .begins = begins,
          .lets_sleep = where == Where::across_cores};
    };
  };
  return {.family = "futex",
          .subject = {.name = "futex, there and back asleep, " + std::string(name_of(where)),
                      .shared_bytes = 3 * tenon::cache_line,
                      .sides = {stepping_side("asker", end(true)), stepping_side("answerer", end(false))}},
          .where = where,
          .kind = Kind::round_trip};
}

}  // namespace

std::vector<Limit> futexes(Extent /*the same in both*/) {
  return {ping_pong(Where::across_cores), ping_pong(Where::one_core)};
}

}  // namespace limits
