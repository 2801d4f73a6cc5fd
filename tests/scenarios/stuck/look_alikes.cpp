/// Those who wait and are sound: idle, served by the living, or with a deadline.
#include "locks.hpp"
#include "situation.hpp"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

namespace stuck {

namespace {

void reader_of_a_living_writer(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start({pipe.in}, live);
  room.start({pipe.out}, [&] { read_byte(pipe.out); });
}

void full_pipe_of_a_living_reader(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start({pipe.out}, live);
  room.start({pipe.in}, [&] { fill(pipe.in); });
}

void reader_who_waits_for_somebody_to_open_its_fifo(Room& room) {
  const std::string path = room.path("fifo");
  ::mkfifo(path.c_str(), 0600);
  room.start({}, [&] { ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
}

void server_at_a_fifo_that_it_has_open_both_ways(Room& room) {
  const std::string path = room.path("fifo");
  ::mkfifo(path.c_str(), 0600);
  room.start({}, [&] { read_byte(::open(path.c_str(), O_RDWR | O_CLOEXEC)); });
}

void server_at_a_queue_that_nobody_uses(Room& room) {
  const std::string queue = room.queue();
  room.start({}, [&] { receive_from(queue); });
}

void server_at_a_queue_of_a_living_sender(Room& room) {
  const std::string queue = room.queue();
  room.start({}, [&] {
    ::mq_open(queue.c_str(), O_WRONLY);
    live();
  });
  room.start({}, [&] { receive_from(queue); });
}

void sender_to_a_full_queue_of_a_living_receiver(Room& room) {
  const std::string queue = room.queue();
  room.start({}, [&] {
    ::mq_open(queue.c_str(), O_RDONLY);
    live();
  });
  room.start({}, [&] {
    const mqd_t open = ::mq_open(queue.c_str(), O_WRONLY);
    ::mq_send(open, "x", 1, 0);
    ::mq_send(open, "y", 1, 0);
  });
}

void server_at_a_system_v_queue(Room& room) {
  const int queue = room.sysv_queue(64);
  room.start({}, [&] {
    SysvMessage message;
    ::msgrcv(queue, &message, sizeof message.text, 0, 0);
  });
}

void server_whose_last_sender_has_gone(Room& room) {
  const int queue = room.sysv_queue(64);
  const pid_t sender = room.start({}, [&] {
    const SysvMessage message;
    ::msgsnd(queue, &message, sizeof message.text, 0);
    live();
  });
  room.kill(sender);
  room.start({}, [&] {
    SysvMessage message;
    while (::msgrcv(queue, &message, sizeof message.text, 0, 0) != -1) {
    }
  });
}

void server_at_a_socket(Room& room) {
  const std::string path = room.path("socket");
  room.start({}, [&] { ::accept(listen_at(path), nullptr, nullptr); });
}

void client_of_a_server_that_waits_for_any(Room& room) {
  const std::string path = room.path("socket");
  room.start({}, [&] {
    const int listener = listen_at(path);
    std::array list = {pollfd{.fd = listener, .events = POLLIN, .revents = 0},
                       pollfd{.fd = -1, .events = POLLIN, .revents = 0}};
    ::poll(list.data(), list.size(), -1);
    list[1].fd = ::accept(listener, nullptr, nullptr);
    ::poll(list.data(), list.size(), -1);
  });
  room.start({}, [&] { read_byte(connect_to(path)); });
}

void receiver_of_datagrams(Room& room) {
  const std::string path = room.path("socket");
  room.start({}, [&] { read_byte(listen_at(path, SOCK_DGRAM)); });
}

void two_who_talk_with_deadlines(Room& room) {
  const auto ends = room.sockets(SOCK_STREAM);
  const auto talk = [](int end) {
    pollfd one{.fd = end, .events = POLLIN, .revents = 0};
    while (::poll(&one, 1, 100'000) == 0) {
    }
  };
  room.start({ends[0]}, [&] { talk(ends[0]); });
  room.start({ends[1]}, [&] { talk(ends[1]); });
}

// What event loops do: a handler writes into a pipe that the loop has both ends of.
void loop_that_its_own_handler_wakes(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start({pipe.out, pipe.in}, [&] {
    ::signal(SIGCHLD, [](int) {});
    pollfd one{.fd = pipe.out, .events = POLLIN, .revents = 0};
    ::poll(&one, 1, -1);
  });
}

void loop_with_a_timer(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start({pipe.out, pipe.in}, [&] {
    const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    for (const int one : {timer, pipe.out}) {
      epoll_event event{.events = EPOLLIN, .data = {.fd = one}};
      ::epoll_ctl(set, EPOLL_CTL_ADD, one, &event);
    }
    epoll_event event{};
    ::epoll_wait(set, &event, 1, -1);
  });
}

void parent_of_a_living_child(Room& room) {
  room.start({}, [] {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      live();
    }
    ::waitpid(child, nullptr, 0);
  });
}

void stopped_process_for_which_nobody_waits(Room& room) {
  const PipeEnds pipe = room.pipe();
  const pid_t stopped = room.start({pipe.in}, live);
  room.stop(stopped);
}

void two_who_play_ball(Room& room) {
  const PipeEnds there = room.pipe();
  const PipeEnds back = room.pipe();
  const auto play = [](int from, int to) {
    char ball = 0;
    while (::read(from, &ball, 1) == 1 && ::write(to, &ball, 1) == 1) {
    }
  };
  room.start({there.out, back.in}, [&] { play(there.out, back.in); });
  room.start({back.out, there.in}, [&] { play(back.out, there.in); });
  [[maybe_unused]] const auto thrown = ::write(there.in, "x", 1);
}

constexpr std::array rows = {
    LookAlike{"reader_of_a_living_writer", reader_of_a_living_writer},
    LookAlike{"full_pipe_of_a_living_reader", full_pipe_of_a_living_reader},
    LookAlike{"reader_who_waits_for_somebody_to_open_its_fifo", reader_who_waits_for_somebody_to_open_its_fifo},
    LookAlike{"server_at_a_fifo_that_it_has_open_both_ways", server_at_a_fifo_that_it_has_open_both_ways},
    LookAlike{"server_at_a_queue_that_nobody_uses", server_at_a_queue_that_nobody_uses},
    LookAlike{"server_at_a_queue_of_a_living_sender", server_at_a_queue_of_a_living_sender},
    LookAlike{"sender_to_a_full_queue_of_a_living_receiver", sender_to_a_full_queue_of_a_living_receiver},
    LookAlike{"server_at_a_system_v_queue", server_at_a_system_v_queue},
    LookAlike{"server_whose_last_sender_has_gone", server_whose_last_sender_has_gone},
    LookAlike{"server_at_a_socket", server_at_a_socket},
    LookAlike{"client_of_a_server_that_waits_for_any", client_of_a_server_that_waits_for_any},
    LookAlike{"receiver_of_datagrams", receiver_of_datagrams},
    LookAlike{"two_who_talk_with_deadlines", two_who_talk_with_deadlines},
    LookAlike{"loop_that_its_own_handler_wakes", loop_that_its_own_handler_wakes},
    LookAlike{"loop_with_a_timer", loop_with_a_timer},
    LookAlike{"parent_of_a_living_child", parent_of_a_living_child},
    LookAlike{"stopped_process_for_which_nobody_waits", stopped_process_for_which_nobody_waits},
    LookAlike{"two_who_play_ball", two_who_play_ball},
};

}  // namespace

std::span<const LookAlike> look_alikes() { return rows; }

}  // namespace stuck
