// What single calls and instructions cost when nobody else takes part.
//
//   S1  the fences and the locked addition order nothing here: only their cost is of interest.
#include <tenon/os/clock.hpp>
#include <tenon/os/fd.hpp>
#include <harness/spin.hpp>
#include <limits/limit.hpp>
#include <limits/stepping_side.hpp>

#include <atomic>
#include <linux/futex.h>
#include <memory>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace limits {

namespace {

using tenon::MutableBytes;
using Word = std::uint64_t;

Word* word_in(MutableBytes shared) { return reinterpret_cast<Word*>(shared.data()); }

// What a call returns must not let the compiler leave the call out.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

template <class Call>
struct Calls {
  Call call;
  void step() { call(); }
};

template <class Call>
Limit cost(const char* name, Call call) {
  auto end = [call](MutableBytes) { return Calls<Call>{call}; };
  return {.family = "cost",
          .subject = {.name = name, .sides = {stepping_side("caller", end)}},
          .where = Where::alone,
          .kind = Kind::cost};
}

struct LockedAdd {
  Word* word;
  void step() const {
    std::atomic_ref<Word>(*word).fetch_add(1, std::memory_order_seq_cst);  // S1
  }
};

// The store is what a fence has to wait for: a fence with nothing before it would look cheaper than it ever is.
struct StoreAndFence {
  Word* word;
  Word at = 0;
  void step() {
    std::atomic_ref<Word>(*word).store(++at, std::memory_order_relaxed);  // only its way to memory is waited for
    std::atomic_thread_fence(std::memory_order_seq_cst);                  // S1
  }
};

template <class End>
Limit cost_on_a_line(const char* name) {
  auto end = [](MutableBytes shared) { return End{word_in(shared)}; };
  return {.family = "cost",
          .subject = {.name = name, .shared_bytes = 64, .sides = {stepping_side("caller", end)}},
          .where = Where::alone,
          .kind = Kind::cost};
}

struct WakeNobody {
  Word* word;
  void step() const { ::syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0); }
};

struct WriteOne {
  int fd;
  void step() const {
    const std::uint64_t one = 1;
    if (::write(fd, &one, sizeof one) != static_cast<ssize_t>(sizeof one)) {
      throw std::runtime_error("an eventfd could not be written");
    }
  }
};

Limit eventfd_write() {
  auto opened = std::make_shared<std::unique_ptr<tenon::Fd>>();
  auto open = [opened](MutableBytes) {
    *opened = std::make_unique<tenon::Fd>(tenon::fd_from(::eventfd(0, EFD_CLOEXEC), "eventfd").or_throw());
  };
  auto end = [opened](MutableBytes) { return WriteOne{(*opened)->raw()}; };
  return {.family = "cost",
          .subject = {.name = "eventfd, write with nobody waiting",
                      .sides = {stepping_side("caller", end)},
                      .prepare = open},
          .where = Where::alone,
          .kind = Kind::cost};
}

}  // namespace

std::vector<Limit> costs(Extent /*the same in both*/) {
  std::vector<Limit> limits = {
      cost("bare system call, getppid", [] { keep(::syscall(SYS_getppid)); }),
      cost("clock_gettime, CLOCK_MONOTONIC", [] { keep(tenon::monotonic_now()); }),
#if defined(__x86_64__)
      cost("rdtsc", [] { keep(__rdtsc()); }),
#endif
      cost("pause", [] { harness::relax(); }),
      cost_on_a_line<LockedAdd>("locked addition"),
      cost_on_a_line<StoreAndFence>("store and full fence"),
      cost_on_a_line<WakeNobody>("futex, wake with nobody there"),
  };
  limits.push_back(eventfd_write());
  return limits;
}

}  // namespace limits
