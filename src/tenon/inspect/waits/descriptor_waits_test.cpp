/// Waits in calls on descriptors, paths and addresses, as a snapshot shows them.
#include <tenon/os/fd.hpp>

#include <kit/waiting_child.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <tenon/inspect/waits/sleepers.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::ElementsAre;
using testing::SizeIs;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    in = ends[1];
    out = ends[0];
  }
  ~Pipe() {
    ::close(in);
    ::close(out);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  std::string name() const {
    struct stat status{};
    EXPECT_EQ(::fstat(in, &status), 0);
    return "pipe:[" + std::to_string(status.st_ino) + "]";
  }
  int in;
  int out;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int listener_at(const std::string& path, int backlog) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener, backlog), 0);
  return listener;
}

TEST(Waits, a_reader_of_an_empty_pipe_waits_for_a_message_in_it) {
  const kit::Watchdog watchdog("a reader of an empty pipe");
  const Pipe pipe;
  WaitingChild child([&] {
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(pipe.out, &byte, 1);
  });
  const Seen seen = seen_waiting(child.pid(), "read");
  ASSERT_THAT(seen.wait.objects, SizeIs(1));
  EXPECT_EQ(seen.object().kind, Kind::pipe);
  EXPECT_EQ(seen.object().name, pipe.name());
  EXPECT_EQ(seen.wait.need, Need::message);
  EXPECT_EQ(seen.wait.thread, child.pid());
  EXPECT_FALSE(seen.wait.gives_up);
  EXPECT_EQ(seen.wait.unseen, "");
}

TEST(Waits, a_writer_to_a_full_pipe_waits_for_room_in_it_since_it_went_to_sleep) {
  const kit::Watchdog watchdog("a writer to a full pipe");
  timespec before{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  const Pipe pipe;
  WaitingChild child([&] {
    const std::array<char, 4096> page{};
    while (::write(pipe.in, page.data(), page.size()) > 0) {
    }
  });
  const Seen seen = seen_waiting(child.pid(), "write");
  EXPECT_EQ(seen.object().name, pipe.name());
  EXPECT_EQ(seen.wait.need, Need::room);
  EXPECT_TRUE(seen.wait.sends);
  if (seen.wait.since) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    EXPECT_LE(*seen.wait.since, now.tv_sec * 1'000'000'000 + now.tv_nsec);
    EXPECT_GE(*seen.wait.since, (before.tv_sec - 1) * 1'000'000'000);
  }
}

TEST(Waits, who_opens_a_fifo_waits_for_its_other_end) {
  const kit::Watchdog watchdog("two who open a FIFO");
  const kit::UniqueDirectory directory;
  const std::string path = directory / "fifo";
  for (const int how : {O_RDONLY, O_WRONLY}) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    WaitingChild child([&] { ::open(path.c_str(), how | O_CLOEXEC); });
    const Seen seen = seen_waiting(child.pid(), "openat");
    EXPECT_EQ(seen.object().kind, Kind::fifo);
    EXPECT_EQ(seen.object().name, path);
    EXPECT_EQ(seen.wait.need, Need::peer);
    EXPECT_EQ(seen.wait.sends, how == O_WRONLY);
    ::unlink(path.c_str());
  }
}

TEST(Waits, a_path_that_is_relative_is_found_from_the_waiters_directory) {
  const kit::Watchdog watchdog("one who opens a FIFO");
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  WaitingChild child([&] {
    ASSERT_EQ(::chdir(directory.path().c_str()), 0);
    ::open("fifo", O_RDONLY | O_CLOEXEC);
  });
  EXPECT_EQ(seen_waiting(child.pid(), "openat").object().kind, Kind::fifo);
  ::unlink((directory / "fifo").c_str());
}

TEST(Waits, on_a_posix_queue_both_ways_are_seen_and_a_deadline_too) {
  const kit::Watchdog watchdog("two who wait on a queue");
  const std::string name = "/" + kit::unique_name("queue");
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const Fd queue = fd_from(::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), "mq_open").or_throw();
  {
    WaitingChild receiver([&] {
      std::array<char, 8> room{};
      timespec late{};
      ::clock_gettime(CLOCK_REALTIME, &late);
      late.tv_sec += 1000;
      ::mq_timedreceive(queue.raw(), room.data(), room.size(), nullptr, &late);
    });
    const Seen seen = seen_waiting(receiver.pid(), "mq_timedreceive");
    EXPECT_EQ(seen.object().name, name);
    EXPECT_EQ(seen.wait.need, Need::message);
    EXPECT_TRUE(seen.wait.gives_up);
  }
  ASSERT_EQ(::mq_send(queue.raw(), "x", 1, 0), 0);
  WaitingChild sender([&] { ::mq_send(queue.raw(), "y", 1, 0); });
  EXPECT_EQ(seen_waiting(sender.pid(), "mq_timedsend").wait.need, Need::room);
  ::mq_unlink(name.c_str());
}

TEST(Waits, on_sockets_the_end_and_who_listens_are_seen) {
  const kit::Watchdog watchdog("three who wait on sockets");
  const kit::UniqueDirectory directory;
  const std::string path = directory / "socket";
  const Fd listener = Fd::adopt(listener_at(path, 0));
  WaitingChild acceptor([&] { ::accept(listener.raw(), nullptr, nullptr); });
  EXPECT_EQ(seen_waiting(acceptor.pid(), "accept").object().name, path);
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  WaitingChild receiver([&] {
    char byte = 0;
    ::recv(ends[0], &byte, 1, 0);
  });
  const Seen seen = seen_waiting(receiver.pid(), "recvfrom");
  EXPECT_EQ(seen.object().kind, Kind::unix_socket);
  ASSERT_TRUE(seen.object().socket);
  EXPECT_TRUE(seen.object().socket->peer_object);
  ::close(ends[0]);
  ::close(ends[1]);
  ::unlink(path.c_str());
}

TEST(Waits, who_connects_to_a_full_backlog_waits_for_whoever_listens) {
  const kit::Watchdog watchdog("one who connects");
  const kit::UniqueDirectory directory;
  const std::string path = directory / "socket";
  const Fd listener = Fd::adopt(listener_at(path, 0));
  WaitingChild child([&] {
    const sockaddr_un address = address_of(path);
    while (::connect(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), reinterpret_cast<const sockaddr*>(&address),
                     sizeof address) == 0) {
    }
  });
  const Seen seen = seen_waiting(child.pid(), "connect");
  EXPECT_EQ(seen.object().name, path);
  ASSERT_TRUE(seen.object().socket);
  EXPECT_EQ(seen.object().socket->state, SocketState::listening);
  EXPECT_EQ(seen.wait.need, Need::peer);
  ::unlink(path.c_str());
}

TEST(Waits, any_of_the_descriptors_of_a_poll_a_select_and_an_epoll_ends_it) {
  const kit::Watchdog watchdog("three who poll");
  const Pipe first;
  const Pipe second;
  const Fd set = fd_from(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1").or_throw();
  for (const int end : {first.out, second.out}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = end}};
    ASSERT_EQ(::epoll_ctl(set.raw(), EPOLL_CTL_ADD, end, &event), 0);
  }
  WaitingChild polls([&] {
    std::array list = {pollfd{.fd = first.out, .events = POLLIN, .revents = 0},
                       pollfd{.fd = second.out, .events = POLLIN, .revents = 0}};
    ::poll(list.data(), list.size(), -1);
  });
  WaitingChild selects([&] {
    fd_set list;
    FD_ZERO(&list);
    FD_SET(first.out, &list);
    FD_SET(second.out, &list);
    ::select(std::max(first.out, second.out) + 1, &list, nullptr, nullptr, nullptr);
  });
  WaitingChild waits([&] {
    epoll_event event{};
    ::epoll_wait(set.raw(), &event, 1, -1);
  });
  for (const auto& [pid, call] :
       {std::pair{polls.pid(), "poll"}, std::pair{selects.pid(), "pselect6"}, std::pair{waits.pid(), "epoll_wait"}}) {
    const Seen seen = seen_waiting(pid, call);
    EXPECT_THAT(seen.wait.objects, SizeIs(2)) << call;
    EXPECT_FALSE(seen.wait.elsewhere) << call;
    EXPECT_FALSE(seen.wait.gives_up) << call;
    EXPECT_EQ(seen.wait.need, Need::message);
  }
}

TEST(Waits, for_a_lock_on_a_file_the_owner_is_seen) {
  const kit::Watchdog watchdog("two who wait for a file");
  const kit::UniqueDirectory directory;
  const std::string path = directory / "file";
  const Fd file = fd_from(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::flock(file.raw(), LOCK_EX), 0);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(file.raw(), F_SETLK, &whole), 0);
  WaitingChild flocks([&] { ::flock(::open(path.c_str(), O_RDWR | O_CLOEXEC), LOCK_EX); });
  WaitingChild fcntls([&] { ::fcntl(::open(path.c_str(), O_RDWR | O_CLOEXEC), F_SETLKW, &whole); });
  for (const auto& [pid, call] : {std::pair{flocks.pid(), "flock"}, std::pair{fcntls.pid(), "fcntl"}}) {
    const Seen seen = seen_waiting(pid, call);
    EXPECT_EQ(seen.object().kind, Kind::file_lock);
    EXPECT_EQ(seen.object().name, path);
    EXPECT_EQ(seen.wait.need, Need::lock);
    EXPECT_EQ(seen.wait.thread, pid);
    bool owned = false;
    for (const Edge& owner : seen.edges(Relation::owns)) {
      owned = owned || owner.pid == ::getpid();
    }
    EXPECT_TRUE(owned) << call;
  }
  ::unlink(path.c_str());
}

TEST(Waits, a_parent_waits_for_its_children) {
  const kit::Watchdog watchdog("a parent");
  WaitingChild parent([] {
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      kit::wait_to_be_killed();
    }
    ::wait(nullptr);
  });
  const Seen seen = seen_waiting(parent.pid(), "wait4");
  ASSERT_THAT(seen.wait.processes, SizeIs(1));
  EXPECT_NE(seen.all.process(seen.wait.processes.front()), nullptr);
}

TEST(Waits, who_is_busy_is_not_taken_for_one_who_waits) {
  const kit::Watchdog watchdog("two who play ball");
  const Pipe there;
  const Pipe back;
  const auto play = [](int in, int out) {
    char ball = 0;
    while (::read(in, &ball, 1) == 1 && ::write(out, &ball, 1) == 1) {
    }
  };
  WaitingChild one([&] { play(there.out, back.in); });
  WaitingChild other([&] { play(back.out, there.in); });
  ASSERT_EQ(::write(there.in, "x", 1), 1);
  for (int look = 0; look < 20; ++look) {
    const Snapshot all = snapshot({.directories = {}, .waits = true});
    const auto waits = [&](WaitingChild& child) {
      return std::ranges::any_of(all.waits, [&](const Wait& wait) { return wait.pid == child.pid(); });
    };
    EXPECT_FALSE(waits(one) && waits(other));
  }
}

TEST(Waits, the_line_of_a_call_is_taken_apart_and_what_is_none_refused) {
  const auto call = parse_call("202 0x7f51b1817400 0x109 0x0 0x1 0x2 0xffffffff 0x7fffbd8e9440 0x7f51b16b0e96\n");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->number, 202);
  EXPECT_THAT(call->arguments, ElementsAre(0x7f51b1817400, 0x109, 0, 1, 2, 0xffffffff));
  for (const char* line : {"", "running\n", "-1 0x7fff 0x7f51\n", "202 0x1 0x2\n", "202 1 2 3 4 5 6\n",
                           "0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n"}) {
    EXPECT_FALSE(parse_call(line)) << line;
  }
}

}  // namespace
