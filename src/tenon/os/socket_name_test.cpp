#include <tenon/os/socket_name.hpp>

#include <tenon/os/unix_socket.hpp>

#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <atomic>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t stranger = 54325;

UnixAddress at(const std::string& path) { return UnixAddress::path(path).or_throw(); }

Result<Fd> bound_to(const std::string& path, Permissions permissions = owner_only,
                    SocketKind kind = SocketKind::stream) {
  return make_socket(kind).and_then([&](Fd socket) {
    return bind_socket(socket.view(), at(path), permissions).transform([&] { return std::move(socket); });
  });
}

void leave_dead(const std::string& path) { const Fd closed = bound_to(path).or_throw(); }

TEST(SocketName, has_exactly_the_mode_asked_for_whatever_the_umask) {  // F13
  kit::ReportedChild child("binder", [] {
    const kit::UniqueDirectory directory;
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : {0600U, 0640U, 0666U, 0200U, 0777U}) {
        const kit::NamedPath name(directory / "socket");
        EXPECT_TRUE(bound_to(name.path, Permissions(mode)));
        EXPECT_EQ(kit::mode_of(name.path), mode) << "umask " << mask;
        EXPECT_EQ(::umask(mask), mask) << "the process's umask is its own";
      }
    }
    EXPECT_TRUE(bound_to(directory / "none", Permissions(0440)).failed_with(Errc::invalid_argument));
  });
  (void)child.finish(never);
}

TEST(SocketName, of_the_dead_is_taken_over_and_of_the_living_is_not) {  // F76
  for (const SocketKind kind : {SocketKind::stream, SocketKind::datagram, SocketKind::seqpacket}) {
    const kit::LeakCheck check;
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "socket");
    leave_dead(name.path);
    const Fd living = bound_to(name.path, Permissions(0640), kind).or_throw();
    EXPECT_EQ(kit::mode_of(name.path), 0640U);
    for (const SocketKind other : {SocketKind::stream, SocketKind::datagram, SocketKind::seqpacket}) {
      const auto refused = bound_to(name.path, owner_only, other);
      ASSERT_TRUE(refused.failed_with(Errc::already_exists)) << "it has not listened yet, but it lives";
      EXPECT_THAT(refused.error().message(), HasSubstr("a living socket"));
      EXPECT_THAT(refused.error().message(), HasSubstr(name.path));
    }
  }
}

TEST(SocketName, of_the_dead_goes_to_exactly_one_of_many_who_race) {  // F4 F76
  const kit::UniqueDirectory directory;
  const kit::Shared<std::atomic<int>> winners;
  constexpr int rounds = 50;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      const std::string path = directory / std::to_string(round % 2 == 0 ? round : round - 1);
      stage.barrier();
      const auto bound = bound_to(path);
      *winners += bound ? 1 : 0;
      EXPECT_TRUE(bound || bound.failed_with(Errc::already_exists)) << bound.error().message();
      stage.barrier();  // only now does the winner's socket die: the next round finds it dead
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*winners, rounds);
  for (int round = 0; round < rounds; round += 2) {
    EXPECT_TRUE(unlink_socket(directory / std::to_string(round)));
  }
}

TEST(SocketName, is_taken_over_from_a_creator_that_died_before_it_had_its_mode) {  // F6
  kit::ReportedChild child("another user", [] {
    if (::geteuid() == 0) {  // root may write what nobody may
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "socket");
    leave_dead(name.path);
    ASSERT_EQ(::chmod(name.path.c_str(), 0), 0);
    const auto living = bound_to(name.path);
    ASSERT_TRUE(living) << living.error().message();
    ASSERT_EQ(::chmod(name.path.c_str(), 0), 0);
    EXPECT_TRUE(bound_to(name.path).failed_with(Errc::already_exists));
    EXPECT_EQ(kit::mode_of(name.path), 0U) << "a living one keeps its mode";
  });
  (void)child.finish(never);
}

void expect_refused(const std::string& path, const std::string& why) {
  for (const auto& refused :
       {bound_to(path).transform([](const Fd&) {}), hold_socket(path, ::geteuid()).transform([](const Fd&) {})}) {
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied)) << path;
    EXPECT_THAT(refused.error().message(), HasSubstr(why));
    EXPECT_THAT(refused.error().message(), HasSubstr(path));
  }
}

TEST(SocketName, is_refused_where_something_else_stands_and_says_what) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath socket(directory / "socket");
  leave_dead(socket.path);
  const kit::NamedPath symlink(directory / "symlink");
  ASSERT_EQ(::symlink(socket.path.c_str(), symlink.path.c_str()), 0);
  expect_refused(symlink.path, "it is a symlink, not a socket");
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  expect_refused(file.path, "it is a regular file");
  const kit::NamedPath fifo(directory / "fifo");
  ASSERT_EQ(::mkfifo(fifo.path.c_str(), 0600), 0);
  expect_refused(fifo.path, "it is a FIFO");
  ASSERT_EQ(::mkdir((directory / "directory").c_str(), 0700), 0);
  expect_refused(directory / "directory", "it is a directory");
  ::rmdir((directory / "directory").c_str());
  EXPECT_EQ(::access(socket.path.c_str(), F_OK), 0) << "what a symlink leads to is left alone";
}

TEST(SocketName, is_refused_with_a_second_hard_link) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath socket(directory / "socket");
  leave_dead(socket.path);
  {
    const kit::NamedPath other(directory / "other");
    ASSERT_EQ(::link(socket.path.c_str(), other.path.c_str()), 0);
    expect_refused(socket.path, "a hard link");
    expect_refused(other.path, "a hard link");
  }
  EXPECT_TRUE(bound_to(socket.path));
}

TEST(SocketName, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's socket";
  }
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  const kit::NamedPath name(directory / "socket");
  leave_dead(name.path);
  ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
  expect_refused(name.path, "it belongs to uid 54325, not to uid 0");
  EXPECT_TRUE(hold_socket(name.path, stranger)) << "whoever expects that owner may";
}

TEST(SocketName, is_bound_only_while_nobody_holds_its_directorys_lock) {  // F76
  const kit::Watchdog watchdog("a bind that waits for the lock");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  leave_dead(name.path);
  const int lock = ::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  const auto refused = bound_to(name.path);
  ASSERT_TRUE(refused.failed_with(Errc::would_block));
  EXPECT_THAT(refused.error().message(), HasSubstr("flock"));
  ::close(lock);
  EXPECT_TRUE(bound_to(name.path));
}

TEST(SocketName, in_a_directory_that_cannot_be_read_is_made_but_not_taken_over) {
  kit::ReportedChild child("another user", [] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    const kit::UniqueDirectory directory;
    ASSERT_EQ(::chmod(directory.path().c_str(), 0300), 0);
    const kit::NamedPath name(directory / "socket");
    EXPECT_TRUE(bound_to(name.path));
    const auto stale = bound_to(name.path);
    ASSERT_TRUE(stale.failed_with(Errc::stale));
    EXPECT_THAT(stale.error().message(), HasSubstr("unlink"));
    EXPECT_TRUE(unlink_socket(name.path));
    EXPECT_TRUE(bound_to(name.path));
    ASSERT_EQ(::chmod(directory.path().c_str(), 0700), 0);
  });
  (void)child.finish(never);
}

TEST(SocketName, leaves_nothing_behind_where_there_is_no_space) {  // F14
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    ASSERT_EQ(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "nr_inodes=2,mode=0700"), 0);
    {
      const kit::NamedPath one(directory / "one");
      const auto first = bound_to(one.path);
      ASSERT_TRUE(first) << first.error().message();
      EXPECT_TRUE(bound_to(directory / "two").failed_with(Errc::no_space));
      EXPECT_EQ(kit::names_in(directory.path()).size(), 1U);
    }
    ASSERT_EQ(::umount(directory.path().c_str()), 0);
  });
}

TEST(SocketName, leads_to_the_very_socket_that_was_held) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  const kit::NamedPath moved(directory / "moved");
  const Fd checked = bound_to(name.path, owner_only, SocketKind::datagram).or_throw();
  const Fd held = hold_socket(name.path, ::geteuid()).or_throw();
  ASSERT_EQ(::rename(name.path.c_str(), moved.path.c_str()), 0);
  const Fd planted = bound_to(name.path, owner_only, SocketKind::datagram).or_throw();
  const Fd sender = make_socket(SocketKind::datagram).or_throw();
  const UnixAddress address = address_of_held(held.view());
  ASSERT_EQ(::sendto(sender.raw(), "x", 1, 0, address.raw(), address.length()), 1);
  char letter = 0;
  EXPECT_EQ(::recv(checked.raw(), &letter, 1, MSG_DONTWAIT), 1);
  EXPECT_EQ(::recv(planted.raw(), &letter, 1, MSG_DONTWAIT), -1);
}

TEST(SocketName, that_is_abstract_needs_no_file_and_goes_with_its_socket) {
  const UnixAddress name = UnixAddress::abstract(kit::unique_name()).or_throw();
  {
    const Fd first = make_socket(SocketKind::stream).or_throw();
    const Fd second = make_socket(SocketKind::stream).or_throw();
    EXPECT_TRUE(bind_socket(first.view(), name, owner_only));
    EXPECT_TRUE(bind_socket(second.view(), name, owner_only).failed_with(Errc::already_exists));
  }
  const Fd third = make_socket(SocketKind::stream).or_throw();
  EXPECT_TRUE(bind_socket(third.view(), name, owner_only));
}

TEST(SocketName, is_removed_if_it_is_one) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_TRUE(unlink_socket(file.path).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(unlink_socket("@nothing").failed_with(Errc::wrong_kind));
  EXPECT_TRUE(unlink_socket(directory / "nothing").failed_with(Errc::not_found));
  EXPECT_TRUE(unlink_socket(directory / std::string(108, 'x')).failed_with(Errc::invalid_name));
  leave_dead(directory / "socket");
  EXPECT_TRUE(unlink_socket(directory / "socket"));
  EXPECT_TRUE(unlink_socket(directory / "socket").failed_with(Errc::not_found));
}

TEST(SocketName, of_the_dead_alone_is_cleaned_away) {  // F76
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "socket");
  EXPECT_TRUE(unlink_dead_socket(name.path).failed_with(Errc::not_found));
  {
    const Fd living = bound_to(name.path).or_throw();
    EXPECT_TRUE(unlink_dead_socket(name.path).failed_with(Errc::already_exists));
  }
  EXPECT_TRUE(unlink_dead_socket(name.path));
  EXPECT_THAT(kit::names_in(directory.path()), IsEmpty());
}

TEST(SocketName, needs_proc_to_look_at_what_is_there) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "socket");
    leave_dead(name.path);
    ASSERT_EQ(::mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const auto refused = bound_to(name.path);
    ASSERT_TRUE(refused.failed_with(Errc::not_supported));
    EXPECT_THAT(refused.error().message(), HasSubstr("/proc is not mounted"));
    ASSERT_EQ(::umount("/proc"), 0);
  });
}

}  // namespace
