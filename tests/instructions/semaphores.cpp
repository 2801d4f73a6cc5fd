// Semaphores, the doorbell and the file lock, where nobody has to wait.
#include "calls.hpp"

#include <tenon/ipc/eventfd/eventfd.hpp>
#include <tenon/ipc/file_lock/file_lock.hpp>
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace calls {

namespace {

using namespace tenon;

Deadline in_an_hour() { return after(std::chrono::hours(1)); }

void measure_posix(int loops) {
  const Mapping memory = Mapping::shared_with_children(4096).or_throw();
  UnnamedSemaphore semaphore = UnnamedSemaphore::create(memory.bytes(), 0).or_throw();
  sem_t* const raw = semaphore.native();
  const Deadline deadline = in_an_hour();
  const timespec until{.tv_sec = deadline.nanoseconds() / 1'000'000'000, .tv_nsec = 0};

  const auto fill = [&] { ::sem_init(raw, 1, static_cast<unsigned>(loops) + 1); };
  ::sem_init(raw, 1, 0);
  measure("sem-post/never/bare", loops, [=] { must(::sem_post(raw) == 0); });
  ::sem_init(raw, 1, 0);
  measure("sem-post/never/wrapped", loops, [&] { must(semaphore.post().has_value()); });
  fill();
  measure("sem-wait/never/bare", loops, [=] { must(::sem_wait(raw) == 0); });
  fill();
  measure("sem-wait/never/wrapped", loops, [&] { must(semaphore.wait(never).has_value()); });
  fill();
  measure("sem-wait/try_/bare", loops, [=] { must(::sem_trywait(raw) == 0); });
  fill();
  measure("sem-wait/try_/wrapped", loops, [&] { must(semaphore.try_wait().has_value()); });
  fill();
  measure("sem-wait/deadline/bare", loops, [=] { must(::sem_clockwait(raw, CLOCK_MONOTONIC, &until) == 0); });
  fill();
  measure("sem-wait/deadline/wrapped", loops, [&] { must(semaphore.wait(deadline).has_value()); });
  ::sem_init(raw, 1, 0);
  measure("sem-wait/empty/bare", loops, [=] { must(::sem_trywait(raw) == -1 && errno == EAGAIN); });
  measure("sem-wait/empty/wrapped", loops, [&] { must(semaphore.try_wait().failed_with(Errc::would_block)); });
}

bool bare(int id, short change, short flags = 0) {
  sembuf step{.sem_num = 0, .sem_op = change, .sem_flg = flags};
  return ::semop(id, &step, 1) == 0;
}

void measure_sysv(int loops) {
  const SysvSemaphore set = SysvSemaphore::create(SysvKey::unshared(), {0}).or_throw();
  const RemoveOnExit guard(SysvSemaphore::remove, set.id());
  const int id = set.id();
  const Deadline deadline = in_an_hour();
  const auto fill = [&] { set.set_value(0, static_cast<std::uint16_t>(loops + 1)).or_throw(); };
  const auto empty = [&] { set.set_value(0, 0).or_throw(); };
  empty();
  measure("semop-post/never/bare", loops, [=] { must(bare(id, 1)); });
  empty();
  measure("semop-post/never/wrapped", loops, [&] { must(set.post(0, Undo::no).has_value()); });
  fill();
  measure("semop-wait/never/bare", loops, [=] { must(bare(id, -1)); });
  fill();
  measure("semop-wait/never/wrapped", loops, [&] { must(set.wait(0, Undo::no, never).has_value()); });
  fill();
  measure("semop-wait/try_/bare", loops, [=] { must(bare(id, -1, IPC_NOWAIT)); });
  fill();
  measure("semop-wait/try_/wrapped", loops, [&] { must(set.try_wait(0, Undo::no).has_value()); });
  fill();
  measure("semop-wait/deadline/bare", loops, [=] {
    sembuf step{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
    const timespec hour{.tv_sec = 3600, .tv_nsec = 0};
    must(::semtimedop(id, &step, 1, &hour) == 0);
  });
  fill();
  measure("semop-wait/deadline/wrapped", loops, [&] { must(set.wait(0, Undo::no, deadline).has_value()); });
  empty();
  measure("semop-wait/empty/bare", loops, [=] { must(!bare(id, -1, IPC_NOWAIT) && errno == EAGAIN); });
  measure("semop-wait/empty/wrapped", loops, [&] { must(set.try_wait(0, Undo::no).failed_with(Errc::would_block)); });
}

bool bare_post(int bell) {
  const std::uint64_t one = 1;
  return ::write(bell, &one, sizeof one) == sizeof one;
}

bool bare_wait(int bell) {
  std::uint64_t count = 0;
  return ::read(bell, &count, sizeof count) == sizeof count;
}

void measure_eventfd(int loops) {
  const auto filled = [=] { return EventFd::create(static_cast<unsigned>(loops) + 1, Taking::one).or_throw(); };
  const EventFd blocking = filled();
  measure("eventfd-post/never/bare", loops, [fd = blocking.fd().raw()] { must(bare_post(fd)); });
  EventFd wrapped = filled();
  measure("eventfd-post/never/wrapped", loops, [&] { must(wrapped.post(1, never).has_value()); });
  measure("eventfd-wait/never/bare", loops, [fd = blocking.fd().raw()] { must(bare_wait(fd)); });
  measure("eventfd-wait/never/wrapped", loops, [&] { must(wrapped.wait(never).value_or(0) == 1); });

  const EventFd flagged = filled();
  ::fcntl(flagged.fd().raw(), F_SETFL, O_NONBLOCK);
  EventFd trying = filled();
  measure("eventfd-post/try_/bare", loops, [fd = flagged.fd().raw()] { must(bare_post(fd)); });
  measure("eventfd-post/try_/wrapped", loops, [&] { must(trying.try_post().has_value()); });
  measure("eventfd-wait/try_/bare", loops, [fd = flagged.fd().raw()] { must(bare_wait(fd)); });
  measure("eventfd-wait/try_/wrapped", loops, [&] { must(trying.try_wait().value_or(0) == 1); });
  const Deadline deadline = in_an_hour();
  measure("eventfd-wait/deadline/bare", loops, [fd = flagged.fd().raw()] { must(bare_wait(fd)); });
  measure("eventfd-wait/deadline/wrapped", loops, [&] { must(trying.wait(deadline).value_or(0) == 1); });

  const EventFd quiet = EventFd::create().or_throw();
  ::fcntl(quiet.fd().raw(), F_SETFL, O_NONBLOCK);
  EventFd empty = EventFd::create().or_throw();
  measure("eventfd-wait/empty/bare", loops, [fd = quiet.fd().raw()] { must(!bare_wait(fd) && errno == EAGAIN); });
  measure("eventfd-wait/empty/wrapped", loops, [&] { must(empty.try_wait().failed_with(Errc::would_block)); });
}

bool bare_lock(int file, int command, short type) {
  struct flock lock{};
  lock.l_type = type;
  return ::fcntl(file, command, &lock) == 0;
}

// A lock is had and given back: two calls.
void measure_locks(int loops) {
  const std::string path = "/tmp/calls-" + Token::random().hex();
  FileLock lock = FileLock::create(path).or_throw();
  const UnlinkOnExit name(FileLock::unlink, path);
  const int file = lock.fd().raw();
  measure("lock+unlock/never/bare", loops,
          [=] { must(bare_lock(file, F_OFD_SETLKW, F_WRLCK) && bare_lock(file, F_OFD_SETLK, F_UNLCK)); });
  measure("lock+unlock/never/wrapped", loops, [&] { must(lock.lock(LockMode::exclusive, never).has_value()); });
  measure("lock+unlock/try_/bare", loops,
          [=] { must(bare_lock(file, F_OFD_SETLK, F_WRLCK) && bare_lock(file, F_OFD_SETLK, F_UNLCK)); });
  measure("lock+unlock/try_/wrapped", loops, [&] { must(lock.try_lock(LockMode::exclusive).has_value()); });

  FileLock other = FileLock::open(path).or_throw();
  const auto held = other.lock(LockMode::exclusive, never).or_throw();
  measure("lock+unlock/full/bare", loops, [=] { must(!bare_lock(file, F_OFD_SETLK, F_WRLCK) && errno == EAGAIN); });
  measure("lock+unlock/full/wrapped", loops,
          [&] { must(lock.try_lock(LockMode::exclusive).failed_with(Errc::would_block)); });
}

}  // namespace

void measure_semaphores(int loops) {
  measure_posix(loops);
  measure_sysv(loops);
  measure_eventfd(loops);
  measure_locks(loops);
}

}  // namespace calls
