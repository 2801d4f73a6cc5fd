// How long after a holder's SIGKILL the next one has the lock, whatever memory the dying process has; and what becomes
// of a condition whose waiters were killed asleep, beside the C library's.
//
//     takeover_bench [TRIALS] [GIGABYTES] [LARGE_TRIALS]      200, 3 and 20 if not said
#include <tenon/os/clock.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <harness/percentiles.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

template <class T>
class InSharedMemory {
 public:
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  Mapping memory_ = Mapping::shared_with_children(sizeof(T)).or_throw();
  T* object_ = new (memory_.data()) T();
};

struct Locks {
  Mutex mutex;
  RwLock lock;
  Event ready{Event::Reset::automatic};
};

/// Private memory, every page of it written.
void fill(std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  void* const start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    throw Failure(os_failure("mmap", errno));
  }
  auto* const first = static_cast<volatile char*>(start);
  for (std::size_t at = 0; at < bytes; at += 4096) {
    first[at] = 1;
  }
}

[[noreturn]] void stay() {
  while (true) {
    ::pause();
  }
}

struct Way {
  const char* name;
  std::function<void(Locks&)> hold;  // in the process that is killed
  std::function<bool(Locks&)> take;  // true if it was told of a death as it should be
};

/// Nanoseconds from SIGKILL to the lock.
double takeover(const Way& way, std::size_t bytes) {
  const InSharedMemory<Locks> locks;
  Child holder = spawn([&]() -> int {
                   fill(bytes);
                   way.hold(*locks);
                   stay();
                 }).or_throw();
  locks->ready.wait(never).or_throw();
  const std::int64_t before = monotonic_now();
  holder.signal(SIGKILL).or_throw();
  const bool told = way.take(*locks);
  const std::int64_t after_it = monotonic_now();
  (void)holder.wait(never).or_throw();
  if (!told) {
    throw Failure(Error(Errc::corrupt).because(std::string(way.name) + ": the death was told wrongly"));
  }
  return static_cast<double>(after_it - before);
}

std::vector<Way> ways() {
  return {
      {"mutex",
       [](Locks& locks) {
         const MutexGuard guard = locks.mutex.lock(never).or_throw();
         locks.ready.set();
         stay();
       },
       [](Locks& locks) { return locks.mutex.lock(never).or_throw().owner_died(); }},
      {"rw lock, from a writer",
       [](Locks& locks) {
         const WriteGuard guard = locks.lock.write(never).or_throw();
         locks.ready.set();
         stay();
       },
       [](Locks& locks) { return locks.lock.write(never).or_throw().owner_died(); }},
      {"rw lock, from a reader",
       [](Locks& locks) {
         const ReadGuard guard = locks.lock.read(never).or_throw();
         locks.ready.set();
         stay();
       },
       [](Locks& locks) { return !locks.lock.write(never).or_throw().owner_died(); }},
  };
}

void print_takeovers(std::size_t trials, std::size_t bytes) {
  for (const Way& way : ways()) {
    std::vector<double> times;
    for (std::size_t i = 0; i < trials; ++i) {
      times.push_back(takeover(way, bytes));
    }
    const auto found = harness::percentiles_of(std::move(times));
    std::printf("%-26s %6.1f GB %6zu trials   p50 %8.1f us   p99 %8.1f us   max %8.1f us\n", way.name,
                static_cast<double>(bytes) / (1 << 30), trials, found.p50 / 1000, found.p99 / 1000, found.max / 1000);
    std::fflush(stdout);
  }
}

struct Ours {
  Mutex mutex;
  Condition condition;
  std::atomic<int> waiting = 0;

  void wait() {
    MutexGuard guard = mutex.lock(never).or_throw();
    ++waiting;
    condition.wait_until(guard, [] { return false; }, never).or_throw();
  }
  void signal() { condition.notify_one(); }
  void broadcast() { condition.notify_all(); }
  void destroy() { condition.~Condition(); }
};

struct Theirs {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  std::atomic<int> waiting = 0;

  Theirs() {
    pthread_mutexattr_t mutex_attributes;
    ::pthread_mutexattr_init(&mutex_attributes);
    ::pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&mutex_attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&mutex, &mutex_attributes);
    ::pthread_mutexattr_destroy(&mutex_attributes);
    pthread_condattr_t attributes;
    ::pthread_condattr_init(&attributes);
    ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_cond_init(&condition, &attributes);
    ::pthread_condattr_destroy(&attributes);
  }
  void wait() {
    ::pthread_mutex_lock(&mutex);
    ++waiting;
    while (true) {
      ::pthread_cond_wait(&condition, &mutex);
    }
  }
  void signal() { ::pthread_cond_signal(&condition); }
  void broadcast() { ::pthread_cond_broadcast(&condition); }
  void destroy() { ::pthread_cond_destroy(&condition); }
};

/// "0.4 us", or that it hung: in a process of its own, which is ended after two seconds.
template <class Step>
std::string timed(Step step) {
  const InSharedMemory<std::atomic<std::int64_t>> took;
  Child caller = spawn([&] {
                   const std::int64_t before = monotonic_now();
                   step();
                   *took = monotonic_now() - before;
                   return 0;
                 }).or_throw();
  if (caller.wait(after(2s)).failed_with(Errc::timed_out)) {
    caller.signal(SIGKILL).or_throw();
    (void)caller.wait(never).or_throw();
    return "hangs";
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f us", static_cast<double>(std::int64_t{*took}) / 1000);
  return text.data();
}

/// Three waiters killed asleep, then three rounds of signal and broadcast, then destroy.
template <class Condition>
void print_dead_waiters(const char* name) {
  const InSharedMemory<Condition> shared;
  std::vector<Child> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(spawn([&] {
                        shared->wait();
                        return 0;
                      }).or_throw());
  }
  for (Child& waiter : waiters) {
    while (shared->waiting < 3 || procfs::process(waiter.pid()).or_throw().state != 'S') {
      ::usleep(100);
    }
  }
  for (Child& waiter : waiters) {
    waiter.signal(SIGKILL).or_throw();
    (void)waiter.wait(never).or_throw();
  }
  std::printf("%-26s", name);
  for (int round = 0; round < 3; ++round) {
    std::printf("  signal %s, broadcast %s", timed([&] { shared->signal(); }).c_str(),
                timed([&] { shared->broadcast(); }).c_str());
  }
  std::printf("  destroy %s\n", timed([&] { shared->destroy(); }).c_str());
}

std::size_t argument(int count, char** arguments, int which, std::size_t otherwise) {
  return which < count ? std::strtoul(arguments[which], nullptr, 10) : otherwise;
}

}  // namespace

int main(int count, char** arguments) try {
  const std::size_t gigabytes = argument(count, arguments, 2, 3);
  print_takeovers(argument(count, arguments, 1, 200), 0);
  const std::uint64_t free = procfs::memory("MemAvailable").or_throw();
  if (free < (gigabytes + 1) << 30) {
    std::printf("%zu GB: not measured, %.1f GB are free\n", gigabytes, static_cast<double>(free) / (1 << 30));
  } else {
    print_takeovers(argument(count, arguments, 3, 20), gigabytes << 30);
  }
  std::printf("\nthree waiters killed asleep\n");
  print_dead_waiters<Ours>("condition");
  print_dead_waiters<Theirs>("pthread_cond_t");
  return 0;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
