/// FIFOs and Unix sockets as a snapshot shows them.
#include <tenon/inspect/kernel/unix_diag.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/unix_address.hpp>

#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Kind;
using inspect::Object;
using inspect::Snapshot;
using testing::Contains;
using testing::HasSubstr;

Snapshot below(const std::string& directory, Kind kind) {
  return inspect::snapshot({.kinds = {kind}, .directories = {directory}});
}

// The place of the object with that name; fails the test if there is not exactly one.
std::size_t place_of(const Snapshot& all, const std::string& name) {
  EXPECT_EQ(std::ranges::count(all.objects, name, &Object::name), 1) << name;
  const auto found = std::ranges::find(all.objects, name, &Object::name);
  return static_cast<std::size_t>(found - all.objects.begin());
}

Fd bound(const UnixAddress& address, int type) {
  Fd socket = fd_from(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket").or_throw();
  EXPECT_EQ(::bind(socket.raw(), address.raw(), address.length()), 0) << address.text();
  return socket;
}

Fd connected(const UnixAddress& address, int type) {
  Fd socket = fd_from(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket").or_throw();
  EXPECT_EQ(::connect(socket.raw(), address.raw(), address.length()), 0) << address.text();
  return socket;
}

TEST(InspectFifo, is_found_below_the_directory_with_any_byte_in_its_name) {
  const kit::UniqueDirectory directory;
  const std::string folder = directory / "folder";
  const std::string path = folder + "/a\nfifo\x01";
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Snapshot all = below(directory.path(), Kind::fifo);
  const Object& fifo = all.objects[place_of(all, path)];
  EXPECT_EQ(fifo.owner, ::geteuid());
  EXPECT_EQ(fifo.mode, mode_t{0600});
  EXPECT_TRUE(all.edges_of(place_of(all, path)).empty());
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

TEST(InspectFifo, that_somebody_has_open_is_found_wherever_it_is_and_when_its_name_has_gone) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const Fd reader = fd_from(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open").or_throw();
  Snapshot all = inspect::snapshot({.kinds = {Kind::fifo}, .directories = {}});
  const auto edges = all.edges_of(place_of(all, path));
  ASSERT_EQ(edges.size(), 1U);
  EXPECT_EQ(edges.front().pid, ::getpid());
  EXPECT_EQ(edges.front().descriptor, reader.raw());
  ::unlink(path.c_str());
  all = inspect::snapshot({.kinds = {Kind::fifo}, .directories = {}});
  EXPECT_EQ(all.objects[place_of(all, path)].state, "unlinked");
}

TEST(InspectFifo, looking_counts_as_no_reader_and_no_writer) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  kit::ReportedChild looker("looker", [&] {
    for (int i = 0; i < 50; ++i) {
      const Snapshot all = below(directory.path(), Kind::fifo);
      EXPECT_EQ(all.objects[place_of(all, path)].kind, Kind::fifo);
    }
  });
  // Whoever opens it for writing gets in as soon as there is a reader, for however short a time.
  while (!looker.process().wait(immediately)) {
    EXPECT_EQ(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
    EXPECT_EQ(errno, ENXIO);
  }
  EXPECT_TRUE(looker.finish(never));
  ::unlink(path.c_str());
}

TEST(InspectFifo, a_directory_that_may_not_be_read_is_said) {
  const kit::UniqueDirectory directory;
  ::chmod(directory.path().c_str(), 0711);
  const std::string closed = directory / "closed";
  ASSERT_EQ(::mkdir(closed.c_str(), 0700), 0);
  kit::ReportedChild other("another user", [&] {
    if (::setuid(65534) == -1) {
      GTEST_SKIP() << "needs root to become another user";
    }
    EXPECT_THAT(below(closed, Kind::fifo).unseen, Contains(HasSubstr(closed)));
  });
  EXPECT_TRUE(other.finish(never));
  ::rmdir(closed.c_str());
}

TEST(InspectUnixSocket, shows_who_listens_and_how_many_are_connected) {
  const kit::UniqueDirectory directory;
  const auto address = UnixAddress::path(directory / "socket").or_throw();
  const Fd listener = bound(address, SOCK_STREAM);
  ASSERT_EQ(::listen(listener.raw(), 4), 0);
  const Fd client = connected(address, SOCK_STREAM);
  const Fd accepted = fd_from(::accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC), "accept").or_throw();
  const Fd waiting = connected(address, SOCK_STREAM);
  const Snapshot all = below(directory.path(), Kind::unix_socket);
  const std::size_t place = place_of(all, std::string(address.name()));
  EXPECT_EQ(all.objects[place].state, "stream, listening");
  EXPECT_EQ(all.objects[place].figure("connections"), 1U);
  EXPECT_EQ(all.objects[place].figure("pending"), 1U);
  EXPECT_EQ(all.objects[place].owner, ::geteuid());
  EXPECT_TRUE(all.objects[place].mode);
  ASSERT_EQ(all.edges_of(place).size(), 1U);
  EXPECT_EQ(all.edges_of(place).front().pid, ::getpid());
  ::unlink(std::string(address.name()).c_str());
}

TEST(InspectUnixSocket, whose_owner_has_gone_is_told_from_one_that_listens) {
  const kit::UniqueDirectory directory;
  const auto address = UnixAddress::path(directory / "stale").or_throw();
  {
    const Fd gone = bound(address, SOCK_STREAM);
  }
  const Snapshot all = below(directory.path(), Kind::unix_socket);
  const std::size_t place = place_of(all, std::string(address.name()));
  EXPECT_EQ(all.objects[place].state, "nobody is bound");
  EXPECT_TRUE(all.edges_of(place).empty());
  ::unlink(std::string(address.name()).c_str());
}

TEST(InspectUnixSocket, whose_file_was_removed_is_unlinked_and_its_listener_goes_on) {
  const kit::UniqueDirectory directory;
  const auto address = UnixAddress::path(directory / "removed").or_throw();
  const Fd listener = bound(address, SOCK_STREAM);
  ASSERT_EQ(::listen(listener.raw(), 1), 0);
  ::unlink(std::string(address.name()).c_str());
  const Snapshot all = inspect::snapshot({.kinds = {Kind::unix_socket}, .directories = {}});
  EXPECT_EQ(all.objects[place_of(all, std::string(address.name()))].state, "stream, listening, unlinked");
}

TEST(InspectUnixSocket, that_is_abstract_has_an_inode_of_its_own_and_a_name_with_any_byte) {
  const std::string name = kit::unique_name("abstract") + std::string("\0\n", 2);
  const Fd socket = bound(UnixAddress::abstract(name).or_throw(), SOCK_SEQPACKET);
  ASSERT_EQ(::listen(socket.raw(), 1), 0);
  const Snapshot all = inspect::snapshot({.kinds = {Kind::unix_socket}, .directories = {}});
  const Object& found = all.objects[place_of(all, "@" + name)];
  EXPECT_EQ(found.state, "seqpacket, listening");
  struct stat status{};
  ASSERT_EQ(::fstat(socket.raw(), &status), 0);
  EXPECT_EQ(found.file.inode, status.st_ino);
  EXPECT_EQ(found.file.device, status.st_dev);
  EXPECT_FALSE(found.mode);
  EXPECT_EQ(found.owner, ::geteuid());
}

TEST(InspectUnixSocket, for_datagrams_shows_what_is_unread) {
  const kit::UniqueDirectory directory;
  const auto address = UnixAddress::path(directory / "datagrams").or_throw();
  const Fd receiver = bound(address, SOCK_DGRAM);
  const Fd sender = connected(address, SOCK_DGRAM);
  ASSERT_EQ(::send(sender.raw(), "hello", 5, 0), 5);
  const Snapshot all = below(directory.path(), Kind::unix_socket);
  const Object& found = all.objects[place_of(all, std::string(address.name()))];
  EXPECT_EQ(found.state, "datagram, bound");
  EXPECT_GT(found.figure("unread_bytes").value_or(0), 0U);
  ::unlink(std::string(address.name()).c_str());
}

TEST(InspectUnixSocket, bound_by_a_relative_path_is_known_by_its_file) {
  const kit::UniqueDirectory directory;
  kit::ReportedChild child("child", [&] {
    ASSERT_EQ(::chdir(directory.path().c_str()), 0);
    const Fd socket = bound(UnixAddress::path("relative").or_throw(), SOCK_DGRAM);
    const Snapshot all = below(directory.path(), Kind::unix_socket);
    EXPECT_EQ(all.objects[place_of(all, directory / "relative")].state, "datagram, bound");
    ::unlink("relative");
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(InspectSnapshot, processes_and_names_that_vanish_meanwhile_are_normal) {
  const kit::Watchdog watchdog("snapshots are taken while all changes");
  const kit::UniqueDirectory directory;
  kit::ReportedChild forks("forks", [&] {
    for (int i = 0; i < 100; ++i) {
      Child child = spawn([&] {
                      const std::string path = directory / std::to_string(i);
                      ::mkfifo(path.c_str(), 0600);
                      const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
                      return ::unlink(path.c_str()) + (reader == -1 ? 1 : 0);
                    }).or_throw();
      EXPECT_TRUE(child.wait(never).or_throw().success());
    }
  });
  while (!forks.process().wait(immediately)) {
    const Snapshot all = inspect::snapshot({.directories = {directory.path()}});
    for (const inspect::Edge& edge : all.edges) {
      ASSERT_LT(edge.object, all.objects.size());
      EXPECT_EQ(edge.ended, all.process(edge.pid) == nullptr);
    }
  }
  EXPECT_TRUE(forks.finish(never));
}

}  // namespace
