// What coordinates in shared memory, where nobody else wants it.
#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/event.hpp>
#include <tenon/sync/rw_lock.hpp>
#include <tenon/sync/semaphore.hpp>
#include <guard/rooms.hpp>

#include <new>

namespace guard {

namespace {

using tenon::Mapping;
using tenon::never;

template <class Lock, class... Arguments>
Lock& made_in(const Mapping& memory, Arguments&&... arguments) {
  return *new (memory.data()) Lock(std::forward<Arguments>(arguments)...);
}

void count_posix_semaphore(Paths& paths) {
  const Mapping memory = Mapping::shared_with_children(4096).or_throw();
  auto semaphore = tenon::UnnamedSemaphore::create(memory.bytes(), 0).or_throw();
  paths.count("posix semaphore: post and wait",
              [&] { must(semaphore.post().has_value() && semaphore.wait(never).has_value()); });
}

}  // namespace

void count_locks(Paths& paths, const tenon::Holder& self) {
  const Mapping memory = Mapping::shared_with_children(16 << 10).or_throw();
  auto& mutex = made_in<tenon::Mutex>(memory);
  paths.count("mutex: lock and unlock", [&] { must(mutex.lock(never).has_value()); });

  const Mapping for_condition = Mapping::shared_with_children(4096).or_throw();
  auto& condition = made_in<tenon::Condition>(for_condition);
  paths.count("condition: notify nobody", [&] { condition.notify_one(); });

  const Mapping for_readers = Mapping::shared_with_children(16 << 10).or_throw();
  auto& lock = made_in<tenon::RwLock>(for_readers);
  paths.count("rw lock: read", [&] { must(lock.read(never).has_value()); });
  paths.count("rw lock: write", [&] { must(lock.write(never).has_value()); });

  const Mapping for_permits = Mapping::shared_with_children(4096).or_throw();
  auto& semaphore = made_in<tenon::Semaphore>(for_permits, 8U, self);
  paths.count("semaphore: acquire and release", [&] { must(semaphore.acquire(self, never).has_value()); });

  const Mapping for_event = Mapping::shared_with_children(4096).or_throw();
  auto& event = made_in<tenon::Event>(for_event, tenon::Event::Reset::automatic);
  paths.count("event: set and wait", [&] {
    event.set();
    must(event.wait(never).has_value());
  });
  count_posix_semaphore(paths);
}

}  // namespace guard
