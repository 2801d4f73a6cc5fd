/// Those who wait for locks whose owners live and go on.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <sys/file.h>
#include <thread>

namespace stuck {

namespace {

void mutex(Room& room, int robust) {
  const Memory memory = room.memory();
  room.start({}, [&] {
    auto& held = memory.at<pthread_mutex_t>(64);
    make_mutex(held, robust);
    ::pthread_mutex_lock(&held);
    live();
  });
  room.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(64)); });
}

void mutex_of_the_living(Room& room) { mutex(room, PTHREAD_MUTEX_STALLED); }
void robust_mutex_of_the_living(Room& room) { mutex(room, PTHREAD_MUTEX_ROBUST); }

void three_in_a_row_for_a_mutex(Room& room) {
  const Memory memory = room.memory();
  const PipeEnds pipe = room.pipe();
  room.start({pipe.in}, live);
  room.start({pipe.out}, [&] {
    auto& held = memory.at<pthread_mutex_t>(0);
    make_mutex(held);
    ::pthread_mutex_lock(&held);
    read_byte(pipe.out);
  });
  for (int i = 0; i < 2; ++i) {
    room.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0)); });
  }
}

void condition_variable_with_a_signaller(Room& room) {
  const Memory memory = room.memory();
  room.start({}, [&] {
    make_mutex(memory.at<pthread_mutex_t>(0));
    make_condition(memory.at<pthread_cond_t>(64));
    live();
  });
  room.start({}, [&] {
    auto& held = memory.at<pthread_mutex_t>(0);
    ::pthread_mutex_lock(&held);
    ::pthread_cond_wait(&memory.at<pthread_cond_t>(64), &held);
  });
}

void read_write_lock_of_a_living_writer(Room& room) {
  const Memory memory = room.memory();
  room.start({}, [&] {
    auto& lock = memory.at<pthread_rwlock_t>(0);
    make_rw_lock(lock);
    ::pthread_rwlock_wrlock(&lock);
    live();
  });
  room.start({}, [&] { ::pthread_rwlock_rdlock(&memory.at<pthread_rwlock_t>(0)); });
}

void semaphore_with_a_poster(Room& room) {
  const Memory memory = room.memory();
  room.start({}, [&] {
    ::sem_init(&memory.at<sem_t>(0), 1, 0);
    live();
  });
  room.start({}, [&] { ::sem_wait(&memory.at<sem_t>(0)); });
}

void server_at_a_named_semaphore(Room& room) {
  const std::string name = "/" + kit::unique_name("turn");
  room.at_end([name] { ::sem_unlink(name.c_str()); });
  room.start({}, [&] { ::sem_wait(::sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0)); });
}

void system_v_semaphore_of_the_living(Room& room) {
  const int set = room.sysv_set(1, 1);
  room.start({}, [&] {
    operate(set, 0, -1);
    live();
  });
  room.start({}, [&] { operate(set, 0, -1); });
}

void consumer_at_a_system_v_semaphore(Room& room) {
  const int set = room.sysv_set(1, 1);
  room.start({}, [&] {
    operate(set, 0, -1);
    operate(set, 0, -1);
  });
}

void flock_of_the_living(Room& room) {
  const std::string path = room.path("file");
  room.start({}, [&] {
    ::flock(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), LOCK_EX);
    live();
  });
  room.start({}, [&] { ::flock(::open(path.c_str(), O_RDWR | O_CLOEXEC), LOCK_EX); });
}

void pool_of_idle_threads(Room& room) {
  room.start_busy({}, [] {
    pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t work = PTHREAD_COND_INITIALIZER;
    const auto wait = [&] {
      ::pthread_mutex_lock(&held);
      ::pthread_cond_wait(&work, &held);
    };
    std::jthread one(wait);
    std::jthread other(wait);
    wait();
  });
}

// As a daemon that goes on when a signal's handler posts.
void thread_that_waits_for_its_own_semaphore(Room& room) {
  room.start({}, [] {
    sem_t done{};
    ::sem_init(&done, 0, 0);
    ::sem_wait(&done);
  });
}

void helper_whose_other_thread_lives(Room& room) {
  const PipeEnds pipe = room.pipe();
  const PipeEnds other = room.pipe();
  room.start_busy({pipe.in, other.out, other.in}, [&] {
    const std::jthread reads([&] { read_byte(other.out); });
    live();
  });
  room.start({pipe.out}, [&] { read_byte(pipe.out); });
}

constexpr std::array rows = {
    LookAlike{"mutex_of_the_living", mutex_of_the_living},
    LookAlike{"robust_mutex_of_the_living", robust_mutex_of_the_living},
    LookAlike{"three_in_a_row_for_a_mutex", three_in_a_row_for_a_mutex},
    LookAlike{"condition_variable_with_a_signaller", condition_variable_with_a_signaller},
    LookAlike{"read_write_lock_of_a_living_writer", read_write_lock_of_a_living_writer},
    LookAlike{"semaphore_with_a_poster", semaphore_with_a_poster},
    LookAlike{"server_at_a_named_semaphore", server_at_a_named_semaphore},
    LookAlike{"system_v_semaphore_of_the_living", system_v_semaphore_of_the_living},
    LookAlike{"consumer_at_a_system_v_semaphore", consumer_at_a_system_v_semaphore},
    LookAlike{"flock_of_the_living", flock_of_the_living},
    LookAlike{"pool_of_idle_threads", pool_of_idle_threads},
    LookAlike{"thread_that_waits_for_its_own_semaphore", thread_that_waits_for_its_own_semaphore},
    LookAlike{"helper_whose_other_thread_lives", helper_whose_other_thread_lives},
};

}  // namespace

std::span<const LookAlike> look_alikes_at_locks() { return rows; }

}  // namespace stuck
