// Maps of the three kinds of shared memory, made and let go, and the mutex, where nobody has to wait.
#include "calls.hpp"

#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>
#include <tenon/sync/mutex.hpp>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <new>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>

namespace calls {

namespace {

using namespace tenon;

constexpr std::size_t page = 4096;

// Nobody who has not asked the kernel for the size may map memory that others could have truncated.
void map_bare(int file) {
  struct stat status{};
  must(::fstat(file, &status) == 0);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  must(start != MAP_FAILED);
  ::munmap(start, size);
}

void measure_posix_memory(int loops) {
  const std::string name = "/tenon-count-" + Token::random().hex();
  const PosixMemory memory = PosixMemory::create(name, page).or_throw();
  const UnlinkOnExit named(PosixMemory::unlink, name);
  measure("shm-map/never/bare", loops, [file = memory.fd().raw()] { map_bare(file); });
  measure("shm-map/never/wrapped", loops, [&] { must(memory.map(Access::read_write).has_value()); });
}

void measure_memfd(int loops) {
  Memfd memory = Memfd::create("count", page).or_throw();
  memory.seal(Seals::shrink).or_throw();
  measure("memfd-map/never/bare", loops, [file = memory.fd().raw()] {
    must((::fcntl(file, F_GET_SEALS) & F_SEAL_SHRINK) != 0);
    map_bare(file);
  });
  measure("memfd-map/never/wrapped", loops, [&] { must(memory.map(Access::read_write, Seals::shrink).has_value()); });
}

void measure_sysv_memory(int loops) {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
  const RemoveOnExit removed(SysvMemory::remove, memory.id());
  measure("shmat/never/bare", loops, [id = memory.id()] {
    void* const start = ::shmat(id, nullptr, 0);
    must(start != reinterpret_cast<void*>(-1));
    ::shmdt(start);
  });
  measure("shmat/never/wrapped", loops, [&] { must(memory.attach(Access::read_write).has_value()); });
}

void make_bare(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  must(::pthread_mutex_init(&mutex, &attributes) == 0);
  ::pthread_mutexattr_destroy(&attributes);
}

void measure_mutex(int loops) {
  const Mapping memory = Mapping::shared_with_children(2 * page).or_throw();
  auto& bare = *new (memory.data()) pthread_mutex_t();
  make_bare(bare);
  auto& wrapped = *new (memory.data() + page) Mutex();
  const Deadline deadline = after(std::chrono::hours(1));
  const timespec until{.tv_sec = deadline.nanoseconds() / 1'000'000'000, .tv_nsec = 0};

  measure("mutex/never/bare", loops,
          [&] { must(::pthread_mutex_lock(&bare) == 0 && ::pthread_mutex_unlock(&bare) == 0); });
  measure("mutex/never/wrapped", loops, [&] { must(wrapped.lock(never).has_value()); });
  measure("mutex/try_/bare", loops,
          [&] { must(::pthread_mutex_trylock(&bare) == 0 && ::pthread_mutex_unlock(&bare) == 0); });
  measure("mutex/try_/wrapped", loops, [&] { must(wrapped.try_lock().has_value()); });
  measure("mutex/deadline/bare", loops, [&] {
    must(::pthread_mutex_clocklock(&bare, CLOCK_MONOTONIC, &until) == 0 && ::pthread_mutex_unlock(&bare) == 0);
  });
  measure("mutex/deadline/wrapped", loops, [&] { must(wrapped.lock(deadline).has_value()); });

  must(::pthread_mutex_lock(&bare) == 0);
  measure("mutex/held/bare", loops, [&] { must(::pthread_mutex_trylock(&bare) == EBUSY); });
  ::pthread_mutex_unlock(&bare);
  const MutexGuard guard = wrapped.lock(never).or_throw();
  measure("mutex/held/wrapped", loops, [&] { must(wrapped.try_lock().failed_with(Errc::would_block)); });
}

}  // namespace

void measure_memory(int loops) {
  measure_posix_memory(loops);
  measure_memfd(loops);
  measure_sysv_memory(loops);
  measure_mutex(loops);
}

}  // namespace calls
