/// What has no name: pipes, eventfds and pairs of sockets, as a snapshot shows them.
#include <tenon/inspect/kernel/process_files.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <tenon/os/fd.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Edge;
using inspect::Kind;
using inspect::Object;
using inspect::Sighting;
using inspect::Snapshot;
using inspect::SocketState;

struct Ends {
  Fd one;
  Fd other;
};

Ends pipe_of_two() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {.one = Fd::adopt(ends[0]), .other = Fd::adopt(ends[1])};
}

Ends pair_of(int type) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {.one = Fd::adopt(ends[0]), .other = Fd::adopt(ends[1])};
}

Snapshot only(Kind kind) { return inspect::snapshot({.kinds = {kind}, .directories = {}}); }

// The place of what that descriptor of this process leads to.
std::size_t place_of(const Snapshot& all, const Fd& file) {
  const auto* const found = all.descriptor(::getpid(), file.raw());
  EXPECT_NE(found, nullptr);
  return found == nullptr ? 0 : found->object;
}

const Edge& edge_of(const Snapshot& all, std::size_t object, pid_t pid) {
  const auto edges = all.edges_of(object);
  const auto found = std::ranges::find(edges, pid, &Edge::pid);
  EXPECT_NE(found, edges.end()) << pid;
  return *found;
}

TEST(InspectPipe, shows_which_process_has_which_end) {
  Ends pipe = pipe_of_two();
  kit::run_sides(
      {{"reader",
        [&](kit::Stage& stage) {
          ASSERT_TRUE(std::move(pipe.other).close());
          stage.signal("reads alone");
          stage.await("looked");
        }},
       {"looker", [&](kit::Stage& stage) {
          ASSERT_TRUE(std::move(pipe.one).close());
          stage.await("reads alone");
          const Snapshot all = only(Kind::pipe);
          const std::size_t at = place_of(all, pipe.other);
          const Edge& own = edge_of(all, at, ::getpid());
          EXPECT_TRUE(own.writes && !own.reads);
          EXPECT_EQ(own.descriptor, pipe.other.raw());
          EXPECT_EQ(std::ranges::count_if(all.edges_of(at), [](const Edge& one) { return one.reads && !one.writes; }),
                    1);
          EXPECT_EQ(all.objects[at].figure("readers"), 2U) << "the parent has both";
          EXPECT_EQ(all.objects[at].figure("writers"), 2U);
          EXPECT_EQ(all.objects[at].owner, ::geteuid());
          EXPECT_EQ(all.objects[at].name, "pipe:[" + std::to_string(all.objects[at].file.inode) + "]");
          stage.signal("looked");
        }}});
}

TEST(InspectPipe, that_is_looked_at_ends_as_soon_as_its_writer_closes_it) {
  Ends pipe = pipe_of_two();
  for (int i = 0; i < 10; ++i) {
    const Snapshot all = only(Kind::pipe);
    EXPECT_FALSE(all.objects.empty());
  }
  ASSERT_TRUE(std::move(pipe.other).close());
  std::array<char, 1> byte{};
  EXPECT_EQ(::read(pipe.one.raw(), byte.data(), byte.size()), 0) << "nobody else has become a writer";
}

TEST(InspectPipe, each_open_descriptor_is_found_with_what_it_may_do) {
  const Ends pipe = pipe_of_two();
  const Fd again = Fd::adopt(::fcntl(pipe.one.raw(), F_DUPFD_CLOEXEC, 0));
  const Snapshot all = only(Kind::pipe);
  for (const Fd* end : {&pipe.one, &again}) {
    const auto* const found = all.descriptor(::getpid(), end->raw());
    ASSERT_NE(found, nullptr);
    EXPECT_TRUE(found->reads && !found->writes);
  }
  EXPECT_EQ(all.edges_of(place_of(all, pipe.one)).size(), 1U) << "one process, one edge";
  EXPECT_EQ(all.descriptor(::getpid(), 1'000'000), nullptr);
  EXPECT_GE(all.descriptors_of(::getpid()).size(), 3U);
}

TEST(InspectEventFd, shows_its_count_and_who_has_it) {
  const Fd plain = Fd::adopt(::eventfd(5, EFD_CLOEXEC));
  const Fd semaphore = Fd::adopt(::eventfd(0x10, EFD_CLOEXEC | EFD_SEMAPHORE));
  const Snapshot all = only(Kind::eventfd);
  if (all.descriptor(::getpid(), plain.raw()) == nullptr) {
    GTEST_SKIP() << "this kernel does not number eventfds";
  }
  const Object& first = all.objects[place_of(all, plain)];
  const Object& second = all.objects[place_of(all, semaphore)];
  EXPECT_EQ(first.figure("count"), 5U);
  EXPECT_EQ(first.state, "");
  EXPECT_EQ(second.figure("count"), 16U);
  EXPECT_EQ(second.state, "semaphore");
  EXPECT_NE(first.id, second.id);
  const Edge& own = edge_of(all, place_of(all, plain), ::getpid());
  EXPECT_TRUE(own.reads && own.writes);
}

TEST(InspectUnixSocket, of_a_pair_each_end_is_told_with_the_other_and_what_is_unread) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    const Ends pair = pair_of(type);
    ASSERT_EQ(::send(pair.one.raw(), "hello", 5, 0), 5);
    const Snapshot all = only(Kind::unix_socket);
    const std::size_t one = place_of(all, pair.one);
    const std::size_t other = place_of(all, pair.other);
    ASSERT_TRUE(all.objects[one].socket && all.objects[other].socket);
    const inspect::SocketEnd& sender = *all.objects[one].socket;
    const inspect::SocketEnd& receiver = *all.objects[other].socket;
    EXPECT_EQ(sender.type, type);
    EXPECT_EQ(sender.state, SocketState::connected);
    EXPECT_EQ(sender.peer, receiver.inode);
    EXPECT_EQ(receiver.peer, sender.inode);
    EXPECT_EQ(sender.peer_object, other);
    EXPECT_EQ(receiver.peer_object, one);
    EXPECT_GT(receiver.receive_queue, 0U);
    EXPECT_EQ(sender.receive_queue, 0U);
    EXPECT_GT(sender.send_queue, 0U);
    EXPECT_EQ(all.objects[one].name, "socket:[" + std::to_string(sender.inode) + "]");
    EXPECT_EQ(all.objects[one].state, std::string(inspect::socket_type_name(type)) + ", connected");
  }
}

TEST(InspectUnixSocket, that_was_accepted_tells_who_called_and_where) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "service";
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd listener = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.raw(), raw, sizeof address), 0);
  ASSERT_EQ(::listen(listener.raw(), 7), 0);
  const Fd client = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.raw(), raw, sizeof address), 0);
  const Snapshot before = only(Kind::unix_socket);
  EXPECT_EQ(before.objects[place_of(before, client)].socket->peer, 0U) << "nobody has accepted it";
  EXPECT_EQ(before.objects[place_of(before, client)].state, "stream, connected");
  EXPECT_EQ(before.objects[place_of(before, listener)].figure("pending"), 1U);
  const Fd accepted = Fd::adopt(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC));
  const Snapshot all = only(Kind::unix_socket);
  const Object& caller = all.objects[place_of(all, client)];
  const Object& called = all.objects[place_of(all, accepted)];
  EXPECT_EQ(caller.socket->peer_object, place_of(all, accepted));
  EXPECT_EQ(called.socket->name, path);
  EXPECT_EQ(called.name, "socket:[" + std::to_string(called.socket->inode) + "]");
  const Object& listens = all.objects[place_of(all, listener)];
  EXPECT_EQ(listens.name, path);
  EXPECT_EQ(listens.socket->state, SocketState::listening);
  EXPECT_EQ(listens.figure("connections"), 1U);
  EXPECT_EQ(listens.figure("max_pending"), 7U);
  ::unlink(path.c_str());
}

TEST(InspectFifo, tells_who_reads_and_who_writes) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Fd reader = Fd::adopt(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const Snapshot read = only(Kind::fifo);
  EXPECT_EQ(read.objects[place_of(read, reader)].figure("writers"), 0U);
  const Fd writer = Fd::adopt(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const Snapshot all = only(Kind::fifo);
  EXPECT_EQ(place_of(all, reader), place_of(all, writer));
  EXPECT_TRUE(all.descriptor(::getpid(), reader.raw())->reads);
  EXPECT_FALSE(all.descriptor(::getpid(), reader.raw())->writes);
  EXPECT_TRUE(all.descriptor(::getpid(), writer.raw())->writes);
  EXPECT_EQ(all.objects[place_of(all, reader)].figure("readers"), 1U);
  EXPECT_EQ(all.objects[place_of(all, reader)].figure("writers"), 1U);
  ::unlink(path.c_str());
}

TEST(InspectMaps, of_memory_tell_who_may_write_it) {
  const auto read = inspect::ProcessFiles::parse_map("7f00-7f10 r--s 00000000 00:1a 17                 /dev/shm/x y");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->file.inode, 17U);
  EXPECT_EQ(read->target, "/dev/shm/x y");
  EXPECT_TRUE(read->reads && !read->writes);
  EXPECT_EQ(read->relation(), inspect::Relation::maps);
  const auto write = inspect::ProcessFiles::parse_map("7f00-7f10 rw-s 00001000 00:01 3 /SYSV00000000 (deleted)");
  ASSERT_TRUE(write);
  EXPECT_TRUE(write->reads && write->writes);
  const auto own = inspect::ProcessFiles::parse_map("7f00-7f10 rw-p 00000000 00:01 9 /memfd:a\\012b (deleted)");
  ASSERT_TRUE(own);
  EXPECT_FALSE(own->writes) << "what it writes is its own";
  EXPECT_EQ(own->target, "/memfd:a\nb (deleted)");
}

TEST(InspectMaps, of_programs_and_of_nothing_are_left_out) {
  for (const char* const line :
       {"7f00-7f10 r-xp 00000000 fe:00 4711 /usr/lib/libc.so.6", "7ffc-7ffd rw-p 00000000 00:00 0 [stack]",
        "7f00-7f10 rw-s 00000000 00:00 0", "", "7f00", "7f00-7f10", "7f00-7f10 rw-s", "zz-7f10 rw-s 0 0:0 1 /dev/shm/x",
        "7f00-7f10 rw-s 00000000 00 17 /dev/shm/x", "7f00-7f10 rw-s 00000000 00:1a x /dev/shm/x"}) {
    EXPECT_FALSE(inspect::ProcessFiles::parse_map(line)) << line;
  }
}

}  // namespace
