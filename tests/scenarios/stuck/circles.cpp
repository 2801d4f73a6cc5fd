/// Circles, of one, two and three, within a mechanism and across several.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <sys/file.h>

namespace stuck {

namespace {

std::string text(pid_t pid) { return std::to_string(pid); }

Told mutex_locked_twice_by_its_owner(Room& room) {
  const Memory memory = room.memory();
  const pid_t owner = room.start({}, [&] {
    auto& mutex = memory.at<pthread_mutex_t>(64);
    make_mutex(mutex);
    ::pthread_mutex_lock(&mutex);
    ::pthread_mutex_lock(&mutex);
  });
  return {owner, {memory.lock(64), "a circle of one", "waits for itself"}};
}

// Each says through a pipe that it has its first lock, and goes on when it may.
Told two_mutexes(Room& room) {
  const Memory memory = room.memory();
  const PipeEnds gate = room.pipe();
  const PipeEnds other_gate = room.pipe();
  once(room, [&] {
    make_mutex(memory.at<pthread_mutex_t>(0));
    make_mutex(memory.at<pthread_mutex_t>(64));
  });
  const auto take = [&](std::size_t first, std::size_t second, int go) {
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(first));
    read_byte(go);
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(second));
  };
  const pid_t one = room.start({gate.out}, [&] { take(0, 64, gate.out); });
  const pid_t other = room.start({other_gate.out}, [&] { take(64, 0, other_gate.out); });
  room.let_go();
  return {one, {memory.lock(0), memory.lock(64), text(one), text(other), "a circle of 2", "remedy: end one of"}};
}

Told two_system_v_semaphores(Room& room) {
  const int set = room.sysv_set(2, 1);
  const PipeEnds gate = room.pipe();
  const auto take = [&](unsigned short first, unsigned short second) {
    operate(set, first, -1);
    read_byte(gate.out);
    operate(set, second, -1);
  };
  const pid_t one = room.start({gate.out}, [&] { take(0, 1); });
  const pid_t other = room.start({gate.out}, [&] { take(1, 0); });
  room.let_go();
  return {one, {"semaphore 0 of", "semaphore 1 of", "#" + std::to_string(set), text(other), "a circle of 2"}};
}

Told two_who_wait_for_a_message_of_the_other(Room& room) {
  const auto ends = room.sockets(SOCK_STREAM);
  const pid_t one = room.start({ends[0]}, [&] { read_byte(ends[0]); });
  const pid_t other = room.start({ends[1]}, [&] { read_byte(ends[1]); });
  return {one, {"socket:[", "is empty", text(other), "a circle of 2"}};
}

Told file_lock_and_mutex(Room& room) {
  const Memory memory = room.memory();
  const std::string path = room.path("file");
  const PipeEnds gate = room.pipe();
  once(room, [&] { make_mutex(memory.at<pthread_mutex_t>(0)); });
  const pid_t one = room.start({gate.out}, [&] {
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ::flock(file, LOCK_EX);
    read_byte(gate.out);
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0));
  });
  const pid_t other = room.start({gate.out}, [&] {
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0));
    read_byte(gate.out);
    ::flock(::open(path.c_str(), O_RDWR | O_CLOEXEC), LOCK_EX);
  });
  room.let_go();
  return {one, {"file_lock " + path, memory.lock(0), text(other), "a circle of 2"}};
}

Told file_lock_and_pipe(Room& room) {
  const std::string path = room.path("file");
  const PipeEnds pipe = room.pipe();
  struct flock whole{};
  whole.l_type = F_WRLCK;
  const pid_t owner = room.start({pipe.out}, [&] {
    ::fcntl(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), F_SETLKW, &whole);
    read_byte(pipe.out);
  });
  const pid_t writer =
      room.start({pipe.in}, [&] { ::fcntl(::open(path.c_str(), O_RDWR | O_CLOEXEC), F_SETLKW, &whole); });
  return {writer, {"file_lock " + path, name_of_pipe(pipe.in), text(owner), "a circle of 2"}};
}

Told mutex_pipe_and_queue(Room& room) {
  const Memory memory = room.memory();
  const std::string queue = room.queue();
  const PipeEnds pipe = room.pipe();
  once(room, [&] { make_mutex(memory.at<pthread_mutex_t>(0)); });
  // The first has the mutex and waits for bytes; the second would send them, and waits for a message; the third would
  // send that, and waits for the mutex.
  const pid_t first = room.start({pipe.out}, [&] {
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0));
    read_byte(pipe.out);
  });
  const pid_t second = room.start({pipe.in}, [&] { receive_from(queue); });
  const pid_t third = room.start({}, [&] {
    ::mq_open(queue.c_str(), O_WRONLY);
    ::pthread_mutex_lock(&memory.at<pthread_mutex_t>(0));
  });
  return {first,
          {name_of_pipe(pipe.out), "posix_queue " + queue, memory.lock(0), text(second), text(third), "a circle of 3",
           "remedy: end one of"}};
}

Told two_semaphores_and_a_queue(Room& room) {
  const int set = room.sysv_set(2, 1);
  const std::string queue = room.queue();
  const PipeEnds gate = room.pipe();
  const pid_t first = room.start({gate.out}, [&] {
    operate(set, 0, -1);
    ::mq_open(queue.c_str(), O_WRONLY);
    read_byte(gate.out);
    operate(set, 1, -1);
  });
  const pid_t second = room.start({}, [&] {
    operate(set, 1, -1);
    receive_from(queue);
  });
  const pid_t third = room.start({}, [&] { operate(set, 0, -1); });
  room.let_go();
  return {third,
          {"semaphore 0 of", "semaphore 1 of", "posix_queue " + queue, text(first), text(second), "a circle of 2"}};
}

constexpr std::array situations = {
    Situation{"mutex_locked_twice_by_its_owner", mutex_locked_twice_by_its_owner},
    Situation{"two_mutexes", two_mutexes},
    Situation{"two_system_v_semaphores", two_system_v_semaphores},
    Situation{"two_who_wait_for_a_message_of_the_other", two_who_wait_for_a_message_of_the_other},
    Situation{"file_lock_and_mutex", file_lock_and_mutex},
    Situation{"file_lock_and_pipe", file_lock_and_pipe},
    Situation{"mutex_pipe_and_queue", mutex_pipe_and_queue},
    Situation{"two_semaphores_and_a_queue", two_semaphores_and_a_queue},
};

}  // namespace

std::span<const Situation> stuck_in_circles() { return situations; }

}  // namespace stuck
