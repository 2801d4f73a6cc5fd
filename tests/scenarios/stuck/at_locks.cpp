/// Stuck at locks in memory and on files, whose owners are dead, stopped or stuck.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <csignal>
#include <sys/file.h>
#include <sys/mman.h>

namespace stuck {

namespace {

std::string text(pid_t pid) { return std::to_string(pid); }

pid_t who_died_with(Room& room, const Memory& memory) {
  const pid_t owner = room.start({}, [&] {
    auto& mutex = memory.at<pthread_mutex_t>(64);
    make_mutex(mutex);
    ::pthread_mutex_lock(&mutex);
    live();
  });
  room.kill(owner);
  return owner;
}

Told mutex_of_a_dead_owner(Room& room) {
  const Memory memory = room.memory();
  const pid_t owner = who_died_with(room, memory);
  const pid_t waiter = room.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(64)); });
  return {waiter, {memory.lock(64), "is locked", text(owner) + ", which is dead", "make it anew", "robust mutex"}};
}

Told robust_mutex_that_its_owner_unmapped_before_it_died(Room& room) {
  const Memory memory = room.memory();
  const pid_t owner = room.start({}, [&] {
    std::byte* bytes = memory.map();
    auto& mutex = *reinterpret_cast<pthread_mutex_t*>(bytes + 128);
    make_mutex(mutex, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_lock(&mutex);
    ::munmap(bytes, 4096);
    live();
  });
  room.kill(owner);
  const pid_t waiter = room.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(128)); });
  return {waiter,
          {memory.lock(128) + " (robust mutex)", text(owner) + ", which is dead", "without the kernel's knowing"}};
}

Told robust_mutex_of_a_stopped_owner(Room& room) {
  const Memory memory = room.memory();
  const pid_t owner = room.start({}, [&] {
    auto& mutex = memory.at<pthread_mutex_t>(0);
    make_mutex(mutex, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_lock(&mutex);
    live();
  });
  room.stop(owner);
  const pid_t waiter = room.start({}, [&] { ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0)); });
  return {waiter,
          {memory.lock(0) + " (robust mutex)", text(owner) + "), which is stopped", "kill -CONT " + text(owner)}};
}

Told queue_whose_sender_waits_for_a_mutex_of_the_dead(Room& room) {
  const Memory memory = room.memory();
  const std::string queue = room.queue();
  const pid_t dead = who_died_with(room, memory);
  const pid_t worker = room.start({}, [&] {
    ::mq_open(queue.c_str(), O_WRONLY);
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(64));
  });
  const pid_t receiver = room.start({}, [&] { receive_from(queue); });
  return {receiver,
          {"posix_queue " + queue, "is empty", "written by", text(worker), memory.lock(64),
           text(dead) + ", which is dead"}};
}

Told condition_variable_wedged_by_killed_waiters(Room& room) {
  const Memory memory = room.memory();
  once(room, [&] {
    make_mutex(memory.at<pthread_mutex_t>(0));
    make_condition(memory.at<pthread_cond_t>(64));
  });
  const auto wait = [&] {
    auto& mutex = memory.at<pthread_mutex_t>(0);
    ::pthread_mutex_lock(&mutex);
    ::pthread_cond_wait(&memory.at<pthread_cond_t>(64), &mutex);
  };
  const pid_t one = room.start({}, wait);
  const pid_t other = room.start({}, wait);
  room.kill(one);
  room.kill(other);
  once(room, [&] {
    ::pthread_cond_signal(&memory.at<pthread_cond_t>(64));
    ::pthread_cond_signal(&memory.at<pthread_cond_t>(64));
  });
  room.start({}, wait);
  const pid_t signaller = room.start({}, [&] { ::pthread_cond_signal(&memory.at<pthread_cond_t>(64)); });
  return {signaller, {memory.lock(64), "is wedged", "died inside it", "make it anew"}};
}

Told read_write_lock_of_a_dead_writer(Room& room) {
  const Memory memory = room.memory();
  const pid_t writer = room.start({}, [&] {
    auto& lock = memory.at<pthread_rwlock_t>(256);
    make_rw_lock(lock);
    ::pthread_rwlock_wrlock(&lock);
    live();
  });
  room.kill(writer);
  const pid_t reader = room.start({}, [&] { ::pthread_rwlock_rdlock(&memory.at<pthread_rwlock_t>(256)); });
  return {reader, {memory.lock(256) + " (read-write lock)", text(writer) + ", which is dead"}};
}

Told semaphore_that_all_who_have_it_wait_for(Room& room) {
  const Memory memory = room.memory();
  once(room, [&] { ::sem_init(&memory.at<sem_t>(0), 1, 0); });
  const pid_t waiter = room.start({}, [&] {
    sem_t& semaphore = memory.at<sem_t>(0);
    ::shm_unlink(memory.name().c_str());
    ::sem_wait(&semaphore);
  });
  return {waiter, {memory.lock(0) + " (semaphore)", "nobody else has it mapped", "nobody is left"}};
}

Told flock_of_a_stopped_owner(Room& room) {
  const std::string path = room.path("file");
  const pid_t owner = room.start({}, [&] {
    ::flock(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), LOCK_EX);
    live();
  });
  room.stop(owner);
  const pid_t waiter = room.start({}, [&] { ::flock(::open(path.c_str(), O_RDWR | O_CLOEXEC), LOCK_EX); });
  return {waiter, {"file_lock " + path, "is locked", text(owner), "kill -CONT " + text(owner)}};
}

constexpr std::array situations = {
    Situation{"mutex_of_a_dead_owner", mutex_of_a_dead_owner},
    Situation{"robust_mutex_that_its_owner_unmapped_before_it_died",
              robust_mutex_that_its_owner_unmapped_before_it_died},
    Situation{"robust_mutex_of_a_stopped_owner", robust_mutex_of_a_stopped_owner},
    Situation{"queue_whose_sender_waits_for_a_mutex_of_the_dead", queue_whose_sender_waits_for_a_mutex_of_the_dead},
    Situation{"condition_variable_wedged_by_killed_waiters", condition_variable_wedged_by_killed_waiters},
    Situation{"read_write_lock_of_a_dead_writer", read_write_lock_of_a_dead_writer},
    Situation{"semaphore_that_all_who_have_it_wait_for", semaphore_that_all_who_have_it_wait_for},
    Situation{"flock_of_a_stopped_owner", flock_of_a_stopped_owner},
};

}  // namespace

std::span<const Situation> stuck_at_locks() { return situations; }

}  // namespace stuck
