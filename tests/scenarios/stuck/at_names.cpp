/// Stuck with others who wait for the same, and at locks that several have; and those at things with names, which rest.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace stuck {

namespace {

std::string text(pid_t pid) { return std::to_string(pid); }

Told semaphore_without_a_name_that_two_wait_for(Room& room) {
  const Memory memory = room.memory();
  once(room, [&] { ::sem_init(&memory.at<sem_t>(0), 1, 0); });
  const pid_t other = room.start({}, [&] { ::sem_wait(&memory.at<sem_t>(0)); });
  const pid_t waiter = room.start({}, [&] {
    sem_t& semaphore = memory.at<sem_t>(0);
    ::shm_unlink(memory.name().c_str());
    ::sem_wait(&semaphore);
  });
  return {waiter, {memory.lock(0) + " (semaphore)", "wait for it themselves", text(other), "remedy: end all of them"}};
}

void lock_for_reading(const std::string& path) {
  struct flock whole{};
  whole.l_type = F_RDLCK;
  ::fcntl(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), F_SETLKW, &whole);
}

pid_t start_writer(Room& room, const std::string& path) {
  return room.start({}, [path] {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    ::fcntl(::open(path.c_str(), O_RDWR | O_CLOEXEC), F_SETLKW, &whole);
  });
}

Told read_lock_of_which_one_owner_is_stopped(Room& room) {
  const std::string path = room.path("file");
  const auto reads = [path] {
    lock_for_reading(path);
    live();
  };
  room.start({}, reads);
  const pid_t stopped = room.start({}, reads);
  room.start({}, reads);
  const pid_t writer = start_writer(room, path);
  room.stop(stopped);
  return {writer,
          {"file_lock " + path, "is locked", text(stopped) + "), which is stopped", "kill -CONT " + text(stopped)}};
}

Told pipe_whose_writer_a_debugger_has_stopped(Room& room) {
  const PipeEnds pipe = room.pipe();
  const PipeEnds gate = room.pipe();
  const pid_t writer = room.start({pipe.in}, live);
  const pid_t debugger = room.start({gate.out}, [&] {
    ::ptrace(PTRACE_ATTACH, writer, nullptr, nullptr);
    ::waitpid(writer, nullptr, __WALL);
    live();
  });
  const pid_t reader = room.start({pipe.out}, [&] { read_byte(pipe.out); });
  return {reader, {name_of_pipe(pipe.out), "stopped by its debugger", text(debugger), "continue it, or detach"}};
}

// Who could help it has only a thread beside its main one, and that waits.
Told pipe_whose_writer_is_stuck_and_has_lost_its_main_thread(Room& room) {
  const PipeEnds pipe = room.pipe();
  const PipeEnds own = room.pipe();
  const std::string name = name_of_pipe(own.out);
  const pid_t writer = room.start_busy({pipe.in, own.out, own.in}, [&] {
    std::jthread([&] { read_byte(own.out); }).detach();
    ::syscall(SYS_exit, 0);  // ends this thread alone
  });
  const pid_t reader = room.start({pipe.out}, [&] { read_byte(pipe.out); });
  return {reader, {name_of_pipe(pipe.out), text(writer), name, "remedy: end"}};
}

constexpr std::array situations = {
    Situation{"semaphore_without_a_name_that_two_wait_for", semaphore_without_a_name_that_two_wait_for},
    Situation{"read_lock_of_which_one_owner_is_stopped", read_lock_of_which_one_owner_is_stopped},
    Situation{"pipe_whose_writer_a_debugger_has_stopped", pipe_whose_writer_a_debugger_has_stopped},
    Situation{"pipe_whose_writer_is_stuck_and_has_lost_its_main_thread",
              pipe_whose_writer_is_stuck_and_has_lost_its_main_thread},
};

void two(Room& room, const std::function<void()>& body) {
  room.start({}, body);
  room.start({}, body);
}

void two_workers_at_a_queue_that_they_send_to_as_well(Room& room) {
  const std::string queue = room.queue();
  two(room, [&] {
    std::array<char, 8> got{};
    ::mq_receive(::mq_open(queue.c_str(), O_RDWR), got.data(), got.size(), nullptr);
  });
}

void two_workers_at_a_fifo_that_they_have_open_both_ways(Room& room) {
  const std::string path = room.path("fifo");
  ::mkfifo(path.c_str(), 0600);
  two(room, [&] { read_byte(::open(path.c_str(), O_RDWR | O_CLOEXEC)); });
}

void two_workers_at_a_named_semaphore(Room& room) {
  const std::string name = "/" + kit::unique_name("turn");
  room.at_end([name] { ::sem_unlink(name.c_str()); });
  two(room, [&] { ::sem_wait(::sem_open(name.c_str(), O_CREAT, 0600, 0)); });
}

void two_workers_at_a_condition_variable_in_named_memory(Room& room) {
  const Memory memory = room.memory();
  once(room, [&] {
    make_mutex(memory.at<pthread_mutex_t>(0));
    make_condition(memory.at<pthread_cond_t>(64));
  });
  two(room, [&] {
    auto& mutex = memory.at<pthread_mutex_t>(0);
    ::pthread_mutex_lock(&mutex);
    ::pthread_cond_wait(&memory.at<pthread_cond_t>(64), &mutex);
  });
}

// The last to send was one of them.
void two_workers_at_a_system_v_queue(Room& room) {
  const int queue = room.sysv_queue(64);
  const auto receive = [&] {
    SysvMessage got;
    while (::msgrcv(queue, &got, sizeof got.text, 0, 0) != -1) {
    }
  };
  room.start({}, receive);
  room.start({}, [&] {
    const SysvMessage message;
    ::msgsnd(queue, &message, sizeof message.text, 0);
    receive();
  });
}

void consumers_of_a_set_whose_maker_is_gone(Room& room) {
  const int set = room.sysv_set(1, 0);
  once(room, [set] { ::semctl(set, 0, SETVAL, 0); });
  two(room, [&] { operate(set, 0, -1); });
}

void daemons_that_feed_each_other(Room& room) {
  const std::string there = room.queue();
  const std::string back = room.queue();
  const auto serve = [](const std::string& from, const std::string& to) {
    ::mq_open(to.c_str(), O_WRONLY);
    receive_from(from);
  };
  room.start({}, [&] { serve(there, back); });
  room.start({}, [&] { serve(back, there); });
}

// The worker gets its work through a pipe, and tells the master's queue, as any client does.
void master_and_worker_at_rest(Room& room) {
  const std::string inbox = room.queue();
  const PipeEnds work = room.pipe();
  room.start({work.in}, [&] { receive_from(inbox); });
  room.start({work.out}, [&] {
    ::mq_open(inbox.c_str(), O_WRONLY);
    read_byte(work.out);
  });
}

void writer_that_has_lost_its_main_thread(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start_busy({pipe.in}, [] {
    std::jthread([] { live(); }).detach();
    ::syscall(SYS_exit, 0);  // ends this thread alone
  });
  room.start({pipe.out}, [&] { read_byte(pipe.out); });
}

void writer_who_waits_for_readers_that_go_on(Room& room) {
  const std::string path = room.path("file");
  two(room, [path] {
    lock_for_reading(path);
    live();
  });
  start_writer(room, path);
}

constexpr std::array rows = {
    LookAlike{"two_workers_at_a_queue_that_they_send_to_as_well", two_workers_at_a_queue_that_they_send_to_as_well},
    LookAlike{"two_workers_at_a_fifo_that_they_have_open_both_ways",
              two_workers_at_a_fifo_that_they_have_open_both_ways},
    LookAlike{"two_workers_at_a_named_semaphore", two_workers_at_a_named_semaphore},
    LookAlike{"two_workers_at_a_condition_variable_in_named_memory",
              two_workers_at_a_condition_variable_in_named_memory},
    LookAlike{"two_workers_at_a_system_v_queue", two_workers_at_a_system_v_queue},
    LookAlike{"consumers_of_a_set_whose_maker_is_gone", consumers_of_a_set_whose_maker_is_gone},
    LookAlike{"daemons_that_feed_each_other", daemons_that_feed_each_other},
    LookAlike{"master_and_worker_at_rest", master_and_worker_at_rest},
    LookAlike{"writer_that_has_lost_its_main_thread", writer_that_has_lost_its_main_thread},
    LookAlike{"writer_who_waits_for_readers_that_go_on", writer_who_waits_for_readers_that_go_on},
};

}  // namespace

std::span<const Situation> stuck_beside_others() { return situations; }
std::span<const LookAlike> look_alikes_at_names() { return rows; }

}  // namespace stuck
