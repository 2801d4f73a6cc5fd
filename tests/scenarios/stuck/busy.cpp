#include "busy.hpp"

#include "locks.hpp"

#include <tenon/inspect/why/chain.hpp>
#include <tenon/inspect/why/words.hpp>

#include <algorithm>
#include <sys/file.h>

namespace stuck {

namespace {

void play(int from, int to) {
  char ball = 0;
  while (::read(from, &ball, 1) == 1 && ::write(to, &ball, 1) == 1) {
  }
}

void add_pipes(Room& room) {
  const PipeEnds there = room.pipe();
  const PipeEnds back = room.pipe();
  room.start({there.out, back.in}, [&] { play(there.out, back.in); });
  room.start({back.out, there.in}, [&] { play(back.out, there.in); });
  [[maybe_unused]] const auto thrown = ::write(there.in, "x", 1);
}

void add_sockets(Room& room) {
  const auto ends = room.sockets(SOCK_SEQPACKET);
  room.start({ends[0]}, [&] { play(ends[0], ends[0]); });
  room.start_busy({ends[1]}, [&] {
    [[maybe_unused]] const auto thrown = ::write(ends[1], "x", 1);
    play(ends[1], ends[1]);
  });
}

// A fast writer and its reader: now the pipe is full, now empty.
void add_stream(Room& room) {
  const PipeEnds pipe = room.pipe();
  room.start_busy({pipe.in}, [&] { fill(pipe.in); });
  room.start_busy({pipe.out}, [&] {
    std::array<char, 65536> got{};
    while (::read(pipe.out, got.data(), got.size()) > 0) {
    }
  });
}

void add_queues(Room& room) {
  const std::string queue = room.queue();
  room.start_busy({}, [&] {
    const mqd_t open = ::mq_open(queue.c_str(), O_WRONLY);
    while (::mq_send(open, "x", 1, 0) == 0) {
    }
  });
  room.start_busy({}, [&] {
    const mqd_t open = ::mq_open(queue.c_str(), O_RDONLY);
    std::array<char, 8> got{};
    while (::mq_receive(open, got.data(), got.size(), nullptr) == 1) {
    }
  });
  const int other = room.sysv_queue(64);
  room.start_busy({}, [&] {
    const SysvMessage message;
    while (::msgsnd(other, &message, sizeof message.text, 0) == 0) {
    }
  });
  room.start_busy({}, [&] {
    SysvMessage got;
    while (::msgrcv(other, &got, sizeof got.text, 0, 0) != -1) {
    }
  });
}

void add_semaphores(Room& room) {
  const int set = room.sysv_set(2, 1);
  for (int i = 0; i < 2; ++i) {
    room.start_busy({}, [&] {
      while (true) {
        operate(set, 0, -1);
        operate(set, 1, -1);
        operate(set, 1, 1);
        operate(set, 0, 1);
      }
    });
  }
}

// Three who contend for two mutexes, in one order, and tell each other by a condition variable.
void add_locks(Room& room) {
  const Memory memory = room.memory();
  once(room, [&] {
    make_mutex(memory.at<pthread_mutex_t>(0));
    make_mutex(memory.at<pthread_mutex_t>(64), PTHREAD_MUTEX_ROBUST);
    make_condition(memory.at<pthread_cond_t>(128));
  });
  for (int i = 0; i < 3; ++i) {
    room.start_busy({}, [&] {
      auto& first = memory.at<pthread_mutex_t>(0);
      auto& second = memory.at<pthread_mutex_t>(64);
      auto& condition = memory.at<pthread_cond_t>(128);
      auto& turn = memory.at<int>(256);
      while (true) {
        ::pthread_mutex_lock(&first);
        ::pthread_mutex_lock(&second);
        ::pthread_mutex_unlock(&second);
        while (turn != i) {
          ::pthread_cond_wait(&condition, &first);
        }
        turn = (turn + 1) % 3;
        ::pthread_cond_broadcast(&condition);
        ::pthread_mutex_unlock(&first);
      }
    });
  }
}

void add_file_locks(Room& room) {
  const std::string path = room.path("file");
  for (int i = 0; i < 2; ++i) {
    room.start_busy({}, [&] {
      const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
      while (::flock(file, LOCK_EX) == 0) {
        ::flock(file, LOCK_UN);
      }
    });
  }
}

bool is_of(const std::vector<pid_t>& pids, const tenon::inspect::Snapshot& all, const tenon::inspect::Chain& chain) {
  return std::ranges::any_of(chain.links, [&](const tenon::inspect::Link& link) {
    return std::ranges::find(pids, all.waits[link.wait].pid) != pids.end();
  });
}

}  // namespace

void fill_with_busy_pairs(Room& room) {
  for (const auto add : {add_pipes, add_sockets, add_stream, add_queues, add_semaphores, add_locks, add_file_locks}) {
    add(room);
  }
  room.let_go();
}

std::vector<std::string> accusations(const Room& room, int looks) {
  std::vector<std::string> found;
  const auto pids = room.pids();
  for (int look = 0; look < looks; ++look) {
    const auto all = tenon::inspect::snapshot({.directories = {}, .waits = true});
    for (const auto& chain : tenon::inspect::Chains(all).stuck()) {
      if (is_of(pids, all, chain)) {
        found.push_back(tenon::inspect::sentence(all, chain, 0));
      }
    }
  }
  return found;
}

}  // namespace stuck
