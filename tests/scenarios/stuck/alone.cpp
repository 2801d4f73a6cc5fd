/// Stuck without a circle: at what nobody serves, or whoever would is stopped or dead.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace stuck {

namespace {

std::string text(pid_t pid) { return std::to_string(pid); }

Told pipe_that_only_its_reader_could_write(Room& room) {
  const PipeEnds pipe = room.pipe();
  const std::string name = name_of_pipe(pipe.out);
  const pid_t reader = room.start({pipe.out, pipe.in}, [&] { read_byte(pipe.out); });
  return {reader, {name, "is empty", "nobody but itself has its other end open", "close its own copy"}};
}

Told full_pipe_of_a_stopped_reader(Room& room) {
  const PipeEnds pipe = room.pipe();
  const pid_t reader = room.start({pipe.out}, live);
  room.stop(reader);
  const pid_t writer = room.start({pipe.in}, [&] { fill(pipe.in); });
  return {writer, {name_of_pipe(pipe.in), "is full", text(reader), "is stopped", "kill -CONT " + text(reader)}};
}

Told full_pipe_whose_reader_is_stuck_elsewhere(Room& room) {
  const PipeEnds pipe = room.pipe();
  const PipeEnds other = room.pipe();
  const std::string name = name_of_pipe(other.out);
  const pid_t reader = room.start({pipe.out, other.out, other.in}, [&] { read_byte(other.out); });
  const pid_t writer = room.start({pipe.in}, [&] { fill(pipe.in); });
  return {writer, {name_of_pipe(pipe.in), "is full", text(reader), name, "remedy: end"}};
}

Told fifo_that_nobody_reads(Room& room) {
  const std::string path = room.path(kit::unique_name("fifo"));
  ::mkfifo(path.c_str(), 0600);
  const pid_t writer = room.start({}, [&] { ::open(path.c_str(), O_WRONLY | O_CLOEXEC); });
  return {writer, {"fifo " + path, "nobody has open for reading", "start who receives from fifo " + path}};
}

Told full_queue_that_nobody_receives_from(Room& room) {
  const std::string queue = room.queue();
  const pid_t sender = room.start({}, [&] {
    const mqd_t open = ::mq_open(queue.c_str(), O_WRONLY);
    ::mq_send(open, "x", 1, 0);
    ::mq_send(open, "y", 1, 0);
  });
  return {sender, {"posix_queue " + queue, "is full", "start who receives from posix_queue " + queue}};
}

Told full_system_v_queue_of_a_dead_receiver(Room& room) {
  const int queue = room.sysv_queue(8);
  const PipeEnds gate = room.pipe();
  const SysvMessage message;
  ::msgsnd(queue, &message, sizeof message.text, 0);
  const pid_t receiver = room.start({gate.out}, [&] {
    SysvMessage got;
    ::msgrcv(queue, &got, sizeof got.text, 0, 0);
    live();
  });
  room.kill(receiver);
  const pid_t sender = room.start({}, [&] {
    const SysvMessage next;
    while (::msgsnd(queue, &next, sizeof next.text, 0) == 0) {
    }
  });
  return {sender, {"#" + std::to_string(queue), "is full", text(receiver), "is dead", "start who receives"}};
}

Told system_v_semaphore_of_the_dead(Room& room) {
  const int set = room.sysv_set(3, 1);
  const pid_t owner = room.start({}, [&] {
    operate(set, 2, -1);
    live();
  });
  room.kill(owner);
  const pid_t waiter = room.start({}, [&] { operate(set, 2, -1); });
  return {waiter,
          {"semaphore 2 of sysv_semaphore", "#" + std::to_string(set), text(owner) + ", which is dead",
           "tenon rm sysv_semaphore:#" + std::to_string(set)}};
}

Told full_backlog_of_a_stopped_listener(Room& room) {
  const std::string path = room.path("socket");
  const pid_t server = room.start({}, [&] {
    listen_at(path);
    live();
  });
  room.stop(server);
  const pid_t client = room.start({}, [&] { connect_until_full(path); });
  return {client, {"unix_socket " + path, "has a full backlog", text(server), "kill -CONT " + text(server)}};
}

Told full_backlog_of_a_listener_that_is_stuck(Room& room) {
  const std::string path = room.path("socket");
  const PipeEnds pipe = room.pipe();
  const std::string name = name_of_pipe(pipe.out);
  const pid_t server = room.start({pipe.out, pipe.in}, [&] {
    listen_at(path);
    read_byte(pipe.out);
  });
  const pid_t client = room.start({}, [&] { connect_until_full(path); });
  return {client, {"unix_socket " + path, "has a full backlog", text(server), name, "remedy: end"}};
}

Told socket_whose_peer_it_has_itself(Room& room) {
  const auto ends = room.sockets(SOCK_SEQPACKET);
  const pid_t reader = room.start({ends[0], ends[1]}, [&] { ::recv(ends[0], nullptr, 0, 0); });
  return {reader, {"socket:[", "is empty", "nobody but itself has its other end open"}};
}

Told eventfd_that_nobody_else_has(Room& room) {
  const int event = room.eventfd();
  const pid_t reader = room.start({event}, [&] {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(event, &count, sizeof count);
  });
  return {reader, {"eventfd", "is empty", "nobody but itself"}};
}

Told poll_of_two_dead_ends(Room& room) {
  const PipeEnds one = room.pipe();
  const PipeEnds other = room.pipe();
  const pid_t reader = room.start({one.out, one.in, other.out, other.in}, [&] {
    std::array list = {pollfd{.fd = one.out, .events = POLLIN, .revents = 0},
                       pollfd{.fd = other.out, .events = POLLIN, .revents = 0}};
    ::poll(list.data(), list.size(), -1);
  });
  return {reader, {"pipe:[", "(and on 1 other)", "nobody but itself", "remedy: end"}};
}

Told parent_of_a_child_that_is_stuck(Room& room) {
  const PipeEnds pipe = room.pipe();
  const pid_t parent = room.start({pipe.out, pipe.in}, [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      read_byte(pipe.out);
    }
    ::close(pipe.in);
    ::waitpid(child, nullptr, 0);
    ::kill(child, SIGKILL);
  });
  return {parent, {"wait4", name_of_pipe(pipe.out), "is empty", "nobody but itself"}};
}

Told pipe_whose_end_is_on_its_way(Room& room) {
  const PipeEnds pipe = room.pipe();
  const auto ends = room.sockets(SOCK_STREAM);
  std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 'x';
  iovec part{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = pipe.in;
  ::sendmsg(ends[0], &message, 0);
  const pid_t receiver = room.start({ends[1]}, live);
  room.stop(receiver);
  const pid_t reader = room.start({pipe.out}, [&] { read_byte(pipe.out); });
  return {reader, {name_of_pipe(pipe.out), "on its way, unreceived, to", text(receiver), "is stopped", "kill -CONT"}};
}

constexpr std::array situations = {
    Situation{"pipe_that_only_its_reader_could_write", pipe_that_only_its_reader_could_write},
    Situation{"full_pipe_of_a_stopped_reader", full_pipe_of_a_stopped_reader},
    Situation{"full_pipe_whose_reader_is_stuck_elsewhere", full_pipe_whose_reader_is_stuck_elsewhere},
    Situation{"fifo_that_nobody_reads", fifo_that_nobody_reads},
    Situation{"full_queue_that_nobody_receives_from", full_queue_that_nobody_receives_from},
    Situation{"full_system_v_queue_of_a_dead_receiver", full_system_v_queue_of_a_dead_receiver},
    Situation{"system_v_semaphore_of_the_dead", system_v_semaphore_of_the_dead},
    Situation{"full_backlog_of_a_stopped_listener", full_backlog_of_a_stopped_listener},
    Situation{"full_backlog_of_a_listener_that_is_stuck", full_backlog_of_a_listener_that_is_stuck},
    Situation{"socket_whose_peer_it_has_itself", socket_whose_peer_it_has_itself},
    Situation{"eventfd_that_nobody_else_has", eventfd_that_nobody_else_has},
    Situation{"poll_of_two_dead_ends", poll_of_two_dead_ends},
    Situation{"parent_of_a_child_that_is_stuck", parent_of_a_child_that_is_stuck},
    Situation{"pipe_whose_end_is_on_its_way", pipe_whose_end_is_on_its_way},
};

}  // namespace

std::span<const Situation> stuck_alone() { return situations; }

}  // namespace stuck
