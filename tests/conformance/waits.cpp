#include "waits.hpp"

#include "handles.hpp"
#include "wait_on.hpp"

#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/sync/mutex.hpp>

#include <kit/shared.hpp>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <sched.h>

namespace conformance {

namespace {

using namespace tenon;

// A child that runs until nobody refers to it any more.
class PausedChild {
 public:
  PausedChild() : child_(spawn([] { return ::pause(); }).or_throw()) {}
  PausedChild(const PausedChild&) = delete;
  PausedChild& operator=(const PausedChild&) = delete;
  ~PausedChild() {
    (void)child_.signal(SIGKILL);
    (void)child_.wait(never);
  }
  Child& child() { return child_; }

 private:
  Child child_;
};

// One that another process holds until nobody refers to it any more.
class HeldMutex {
 public:
  HeldMutex() {
    while (!mutex_->try_lock().failed_with(Errc::would_block)) {
      sched_yield();
    }
  }
  HeldMutex(const HeldMutex&) = delete;
  HeldMutex& operator=(const HeldMutex&) = delete;
  ~HeldMutex() {
    (void)holder_.signal(SIGKILL);
    (void)holder_.wait(never);
  }
  Mutex& mutex() { return *mutex_; }

 private:
  int hold() {
    const MutexGuard guard = mutex_->lock(never).or_throw();
    return ::pause();
  }

  kit::Shared<Mutex> mutex_;
  Child holder_ = spawn([this] { return hold(); }).or_throw();
};

Pipe full_pipe() {
  Pipe pipe = Pipe::pair().or_throw();
  static constexpr std::array<std::byte, 4096> bytes{};
  while (pipe.writer.try_write(bytes)) {
  }
  return pipe;
}

Pipe empty_pipe() { return Pipe::pair().or_throw(); }

using Pipes = std::pair<Pipe, Pipe>;
Pipes empty_pipes() { return {empty_pipe(), empty_pipe()}; }
Pipes full_pipes() { return {full_pipe(), full_pipe()}; }

// An unnamed one of this process's own.
struct OwnSemaphore {
  alignas(UnnamedSemaphore::alignment) std::array<std::byte, UnnamedSemaphore::size> memory;
  UnnamedSemaphore semaphore = UnnamedSemaphore::create(memory, 0).or_throw();
};

PosixQueue full_queue() {
  PosixQueue queue = unnamed_queue();
  queue.try_send(bytes, 0).or_throw();
  return queue;
}

// A System V queue that goes when nobody refers to it any more.
struct SysvOwn {
  SysvQueue queue = SysvQueue::create(SysvKey::unshared()).or_throw();
  RemoveOnExit guard{SysvQueue::remove, queue.id()};
};

struct SysvFull : SysvOwn {
  SysvFull() {
    queue.set_capacity(bytes.size()).or_throw();
    queue.try_send(bytes, 1).or_throw();
  }
};

EventFd quiet_bell() { return EventFd::create().or_throw(); }

EventFd full_bell() {
  EventFd bell = EventFd::create().or_throw();
  bell.try_post(EventFd::most).or_throw();
  return bell;
}

// A file that another handle has locked for good.
struct LockedFile {
  LockedFile() {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    ::fcntl(holder.raw(), F_OFD_SETLK, &whole);
  }
  FileLock lock = unnamed_lock();
  // Another description of the same file, which has no name any more.
  Fd holder = fd_from(::open(("/proc/self/fd/" + std::to_string(lock.fd().raw())).c_str(), O_RDWR | O_CLOEXEC), "open")
                  .or_throw();
};

struct Set {
  SysvSemaphore semaphores = SysvSemaphore::create(SysvKey::unshared(), {0, 1}).or_throw();
  RemoveOnExit guard{SysvSemaphore::remove, semaphores.id()};
};

Waiting sleeping() {
  return [](Deadline deadline) { return sleep_until(deadline); };
}

Result<void> wait_for_word(const std::atomic<std::uint32_t>& word, Deadline deadline) {
  return futex_wait_until(word, [] { return false; }, deadline);
}

}  // namespace

std::vector<Wait> all_waits() {
  using SysvOwnPointer = std::shared_ptr<SysvOwn>;
  using SysvFullPointer = std::shared_ptr<SysvFull>;
  using Word = std::shared_ptr<std::atomic<std::uint32_t>>;
  using Paused = std::shared_ptr<PausedChild>;
  using Locked = std::shared_ptr<LockedFile>;
  using SetPointer = std::shared_ptr<Set>;
  using Own = std::shared_ptr<OwnSemaphore>;
  using Held = std::shared_ptr<HeldMutex>;
  std::vector<Wait> all = {
      {"sleep_until", sleeping},
      {"wait_ready", on(empty_pipe, [](Pipe& p, Deadline d) { return wait_ready(p.reader.fd(), Ready::reading, d); })},
      {"futex_wait_until",
       on(fresh<std::atomic<std::uint32_t>>(), [](Word& w, Deadline d) { return wait_for_word(*w, d); })},
      {"Child_wait", on(fresh<PausedChild>(), [](Paused& p, Deadline d) { return p->child().wait(d); })},
      {"ReadEnd_read", on(empty_pipe, [](Pipe& p, Deadline d) { return p.reader.read(bytes, d); })},
      {"WriteEnd_write", on(full_pipe, [](Pipe& p, Deadline d) { return p.writer.write(bytes, d); })},
      {"WriteEnd_wait_closed", on(empty_pipe, [](Pipe& p, Deadline d) { return p.writer.wait_closed(d); })},
      {"WriteEnd_vmsplice_from", on(full_pipe, [](Pipe& p, Deadline d) { return p.writer.vmsplice_from(bytes, d); })},
      {"WriteEnd_splice_from",
       on(empty_pipes,
          [](Pipes& p, Deadline d) { return p.second.writer.splice_from(p.first.reader.fd(), bytes.size(), d); })},
      {"ReadEnd_splice_to",
       on(full_pipes,
          [](Pipes& p, Deadline d) { return p.first.reader.splice_to(p.second.writer.fd(), bytes.size(), d); })},
      {"ReadEnd_tee_to",
       on(empty_pipes,
          [](Pipes& p, Deadline d) { return p.first.reader.tee_to(p.second.writer.fd(), bytes.size(), d); })},
      {"Fifo_open_for_reading", on(unnamed_fifo, [](Fifo& f, Deadline d) { return f.open_for_reading(d); })},
      {"Fifo_open_for_writing", on(unnamed_fifo, [](Fifo& f, Deadline d) { return f.open_for_writing(d); }),
       Errc::no_peer},
      {"EventFd_wait", on(quiet_bell, [](EventFd& b, Deadline d) { return b.wait(d); })},
      {"EventFd_post", on(full_bell, [](EventFd& b, Deadline d) { return b.post(1, d); })},
      {"EventFd_post_many", on(full_bell, [](EventFd& b, Deadline d) { return b.post(2, d); })},
      {"FileLock_lock",
       on(fresh<LockedFile>(), [](Locked& l, Deadline d) { return l->lock.lock(LockMode::shared, d); })},
      {"NamedSemaphore_wait", on(unlinked_semaphore, [](NamedSemaphore& s, Deadline d) { return s.wait(d); })},
      {"UnnamedSemaphore_wait", on(fresh<OwnSemaphore>(), [](Own& s, Deadline d) { return s->semaphore.wait(d); })},
      {"SysvSemaphore_wait",
       on(fresh<Set>(), [](SetPointer& s, Deadline d) { return s->semaphores.wait(0, Undo::no, d); })},
      {"SysvSemaphore_wait_for_zero",
       on(fresh<Set>(), [](SetPointer& s, Deadline d) { return s->semaphores.wait_for_zero(1, d); })},
      {"SysvSemaphore_operate", on(fresh<Set>(),
                                   [](SetPointer& s, Deadline d) {
                                     const std::array steps = {SemaphoreStep::take(1), SemaphoreStep::take(0)};
                                     return s->semaphores.operate(steps, d);
                                   })},
      {"PosixQueue_receive", on(unnamed_queue, [](PosixQueue& q, Deadline d) { return q.receive(bytes, d); })},
      {"PosixQueue_send", on(full_queue, [](PosixQueue& q, Deadline d) { return q.send(bytes, 0, d); })},
      {"SysvQueue_receive",
       on(fresh<SysvOwn>(),
          [](SysvOwnPointer& q, Deadline d) { return q->queue.receive(bytes, SysvQueue::Types::any(), d); })},
      {"SysvQueue_send",
       on(fresh<SysvFull>(), [](SysvFullPointer& q, Deadline d) { return q->queue.send(bytes, 1, d); })},
      {"Mutex_lock", on(fresh<HeldMutex>(), [](Held& m, Deadline d) { return m->mutex().lock(d); })},
  };
  for (Wait& wait : socket_waits()) {
    all.push_back(std::move(wait));
  }
  for (Wait& wait : sync_waits()) {
    all.push_back(std::move(wait));
  }
  return all;
}

}  // namespace conformance
