#include <tenon/ipc/fifo/fifo.hpp>

#include <kit/leak_check.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>
#include <kit/traced_process.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t stranger = 54323;

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

std::string read_all(ReadEnd& reader) {
  std::string all;
  std::array<std::byte, 5000> part;
  while (const std::size_t got = reader.read(part, never).or_throw()) {
    all += text_of(Bytes(part).first(got));
  }
  return all;
}

// Removes the name, which the directory's guard would otherwise call left over.
struct Named {
  explicit Named(std::string whole) : path(std::move(whole)) {}
  ~Named() { ::unlink(path.c_str()); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  std::string path;
};

[[noreturn]] void wait_to_be_killed() {
  while (true) {
    ::pause();
  }
}

// Until the process sleeps: the one call of its that can is the one that the test is about.
void await_asleep(pid_t pid) {
  while (procfs::process(pid).or_throw().state != 'S') {
    std::this_thread::yield();
  }
}

std::array<std::byte, 16> ignored;

TEST(Fifo, has_exactly_the_mode_asked_for_whatever_the_umask) {  // F13
  kit::ReportedChild child("creator", [] {
    const kit::UniqueDirectory directory;
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : {0600U, 0640U, 0666U, 0200U, 0777U}) {
        const Named name(directory / "fifo");
        EXPECT_TRUE(Fifo::create(name.path, Permissions(mode)));
        EXPECT_EQ(mode_of(name.path), mode) << "umask " << mask;
      }
    }
  });
  (void)child.finish(never);
}

TEST(Fifo, refuses_names_before_any_system_call) {  // F1 F2
  const kit::UniqueDirectory directory;
  const std::string with_nul = directory / std::string("a\0b", 3);
  for (const std::string& path : {std::string(), std::string("/"), directory.path() + "/", directory / "..", with_nul,
                                  directory / std::string(256, 'x'), "/" + std::string(5000, 'x')}) {
    EXPECT_TRUE(Fifo::create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::open(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::open_or_create(path).failed_with(Errc::invalid_name)) << path;
    EXPECT_TRUE(Fifo::unlink(path).failed_with(Errc::invalid_name)) << path;
  }
  const Named longest(directory / std::string(255, 'x'));
  EXPECT_TRUE(Fifo::create(longest.path));
  EXPECT_TRUE(Fifo::create(directory / "none", Permissions(0)).failed_with(Errc::invalid_argument));
}

TEST(Fifo, is_created_by_exactly_one_of_many_who_race) {  // F4
  const kit::UniqueDirectory directory;
  const kit::Shared<std::atomic<int>> winners;
  constexpr int rounds = 50;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      stage.barrier();
      const std::string path = directory / std::to_string(round);
      const auto created = Fifo::create(path);
      *winners += created ? 1 : 0;
      EXPECT_TRUE(created || created.failed_with(Errc::already_exists));
      EXPECT_TRUE(Fifo::open_or_create(path)) << "whoever lost opens what the other made";
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*winners, rounds);
  for (int round = 0; round < rounds; ++round) {
    EXPECT_EQ(mode_of(directory / std::to_string(round)), 0600U);
    EXPECT_TRUE(Fifo::unlink(directory / std::to_string(round)));
  }
}

TEST(Fifo, that_is_half_made_is_stale_and_open_or_create_finishes_it) {  // F5 F6
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  ASSERT_EQ(::mkfifo(name.path.c_str(), 0), 0);
  const auto opened = Fifo::open(name.path);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create finishes it"));
  EXPECT_TRUE(Fifo::create(name.path).failed_with(Errc::already_exists));
  EXPECT_TRUE(Fifo::open_or_create(name.path, Permissions(0640)));
  EXPECT_EQ(mode_of(name.path), 0640U);
  EXPECT_TRUE(Fifo::open_or_create(name.path, owner_only));
  EXPECT_EQ(mode_of(name.path), 0640U) << "one that exists keeps its permissions";
}

TEST(Fifo, finished_by_another_while_its_creator_stood_still_keeps_the_others_mode) {  // F4 F6
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const kit::Shared<std::atomic<bool>> told;
  kit::TracedProcess creator([] {}, [&] { *told = Fifo::create(name.path).failed_with(Errc::already_exists); });
  while (::access(name.path.c_str(), F_OK) != 0) {
    ASSERT_EQ(creator.run_past_system_call(), kit::TracedProcess::State::stopped);
  }
  ASSERT_EQ(mode_of(name.path), 0U) << "it stands between mkfifo and chmod";
  EXPECT_TRUE(Fifo::open_or_create(name.path, Permissions(0640)));
  EXPECT_EQ(creator.run_to_end(kit::default_limit), kit::TracedProcess::State::finished);
  EXPECT_TRUE(*told);
  EXPECT_EQ(mode_of(name.path), 0640U);
}

TEST(Fifo, opens_without_the_main_thread_too) {
  kit::ReportedChild child("opener", [] {
    const kit::UniqueDirectory directory;
    const Named name(directory / "fifo");
    Child opener = spawn([&] {
                     std::thread([&] {
                       const auto path = "/proc/self/task/" + std::to_string(::getpid()) + "/fd";
                       while (::access((path + "/0").c_str(), F_OK) == 0) {
                         std::this_thread::yield();
                       }
                       const Fifo fifo = Fifo::create(name.path).or_throw();
                       const auto reader = fifo.try_open_for_reading();
                       const auto writer = fifo.open_for_writing(after(1h));
                       ::_exit(reader && writer ? 0 : 7);
                     }).detach();
                     ::syscall(SYS_exit, 0);  // this thread alone
                     return 1;
                   }).or_throw();
    EXPECT_TRUE(opener.wait(never).or_throw().success());
  });
  (void)child.finish(never);
}

TEST(Fifo, opens_once_its_creator_has_completed_it) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  ASSERT_EQ(::mkfifo(name.path.c_str(), 0), 0);
  std::thread creator([&] { ::chmod(name.path.c_str(), 0600); });
  EXPECT_TRUE(Fifo::open(name.path));
  creator.join();
}

void expect_refused(const std::string& path, const std::string& why) {
  for (const auto& opened :
       {Fifo::open(path).transform([](const Fifo&) {}), Fifo::open_or_create(path).transform([](const Fifo&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied)) << path;
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(path));
  }
}

TEST(Fifo, refuses_what_is_no_fifo_and_says_what_it_is) {  // F75
  const kit::UniqueDirectory directory;
  const Named fifo(directory / "fifo");
  ASSERT_TRUE(Fifo::create(fifo.path));
  const Named symlink(directory / "symlink");
  ASSERT_EQ(::symlink(fifo.path.c_str(), symlink.path.c_str()), 0);
  expect_refused(symlink.path, "it is a symlink, not a FIFO");
  const Named file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  expect_refused(file.path, "it is a regular file");
  ASSERT_EQ(::mkdir((directory / "directory").c_str(), 0700), 0);
  expect_refused(directory / "directory", "it is a directory");
  ::rmdir((directory / "directory").c_str());
  const Named socket(directory / "socket");
  ASSERT_EQ(::mknod(socket.path.c_str(), S_IFSOCK | 0600, 0), 0);
  expect_refused(socket.path, "it is a socket");
  expect_refused("/dev/null", "it is a device");
}

TEST(Fifo, refuses_one_with_a_second_hard_link) {  // F75
  const kit::UniqueDirectory directory;
  const Named fifo(directory / "fifo");
  ASSERT_TRUE(Fifo::create(fifo.path));
  {
    const Named other(directory / "other");
    ASSERT_EQ(::link(fifo.path.c_str(), other.path.c_str()), 0);
    expect_refused(fifo.path, "a hard link");
    expect_refused(other.path, "a hard link");
  }
  EXPECT_TRUE(Fifo::open(fifo.path));
}

TEST(Fifo, of_another_user_in_a_sticky_directory_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's FIFO";
  }
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  const Named name(directory / "fifo");
  ASSERT_TRUE(Fifo::create(name.path, Permissions(0666)));
  ASSERT_EQ(::chown(name.path.c_str(), stranger, stranger), 0);
  expect_refused(name.path, "it belongs to uid 54323, not to uid 0");
  EXPECT_TRUE(Fifo::open(name.path, stranger)) << "whoever expects that owner may";
  kit::ReportedChild child("third user", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    expect_refused(name.path, "it belongs to uid 54323, not to uid 54324");
    EXPECT_TRUE(Fifo::unlink(name.path).failed_with(Errc::permission_denied));
  });
  (void)child.finish(never);
  EXPECT_EQ(::access(name.path.c_str(), F_OK), 0);
}

TEST(Fifo, says_which_side_the_permissions_deny) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become the stranger to a FIFO";
  }
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  const Named name(directory / "fifo");
  const Fifo own = Fifo::create(name.path, Permissions(0622)).or_throw();
  const ReadEnd reader = own.try_open_for_reading().or_throw();
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const Fifo fifo = Fifo::open(name.path, 0).or_throw();
    EXPECT_TRUE(fifo.try_open_for_writing());
    const auto denied = fifo.open_for_reading(after(1h));
    ASSERT_TRUE(denied.failed_with(Errc::permission_denied));
    EXPECT_EQ(denied.error().object(), name.path);
  });
  (void)child.finish(never);
}

TEST(Fifo, carries_bytes_between_processes_that_share_only_the_path_in_either_order) {
  for (const bool writer_first : {true, false}) {
    const kit::UniqueDirectory directory;
    const Named name(directory / "fifo");
    auto write = [&](kit::Stage& stage) {
      if (!writer_first) {
        stage.await("reader is there");
      }
      const Fifo fifo = Fifo::open_or_create(name.path).or_throw();
      stage.signal("writer is there");
      WriteEnd writer = fifo.open_for_writing(after(1h)).or_throw();
      writer.write(bytes_of("Hello via FIFO!"), never).or_throw();
    };
    auto read = [&](kit::Stage& stage) {
      if (writer_first) {
        stage.await("writer is there");
      }
      const Fifo fifo = Fifo::open_or_create(name.path).or_throw();
      stage.signal("reader is there");
      ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
      EXPECT_EQ(read_all(reader), "Hello via FIFO!");
    };
    kit::run_sides({{"writer", write}, {"reader", read}});
  }
}

TEST(Fifo, has_no_peer_until_somebody_opens_an_end) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  EXPECT_TRUE(fifo.try_open_for_writing().failed_with(Errc::no_peer));
  EXPECT_TRUE(fifo.open_for_writing(immediately).failed_with(Errc::no_peer));
  ReadEnd reader = fifo.try_open_for_reading().or_throw();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U) << "nobody writes yet: the end";
  WriteEnd writer = fifo.try_open_for_writing().or_throw();
  EXPECT_TRUE(reader.try_read(ignored).failed_with(Errc::would_block));
  EXPECT_EQ(::fcntl(writer.fd().raw(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(writer.fd().raw(), F_GETFD), FD_CLOEXEC);
}

TEST(Fifo, keeps_its_deadline_when_no_peer_comes) {  // F74
  const kit::LeakCheck check;
  const kit::Watchdog watchdog("opening a FIFO without a peer");
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  for (const auto wait : {30ms, 120ms}) {  // within a recheck interval, and beyond
    const auto begin = Deadline::Clock::now();
    EXPECT_TRUE(fifo.open_for_reading(after(wait)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - begin, wait);
    const auto again = Deadline::Clock::now();
    EXPECT_TRUE(fifo.open_for_writing(after(wait)).failed_with(Errc::timed_out));
    EXPECT_GE(Deadline::Clock::now() - again, wait);
  }
  EXPECT_TRUE(fifo.open_for_reading(immediately).failed_with(Errc::timed_out));
}

TEST(Fifo, keeps_its_first_deadline_in_a_storm_of_signals) {  // F71 F74
  const kit::Watchdog watchdog("opening a FIFO under signals");
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  const kit::SignalStorm storm;
  const auto begin = Deadline::Clock::now();
  EXPECT_TRUE(fifo.open_for_reading(after(60ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(fifo.open_for_writing(after(60ms)).failed_with(Errc::timed_out));
  EXPECT_GE(Deadline::Clock::now() - begin, 120ms);
  EXPECT_GT(storm.count(), 0U);
}

TEST(Fifo, an_open_without_deadline_goes_on_after_signals) {  // F71
  const kit::Watchdog watchdog("a blocking open under signals");
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  const kit::SignalStorm storm;
  std::thread other([&] {
    while (storm.count() < 20) {
      std::this_thread::yield();
    }
    const WriteEnd writer = fifo.open_for_writing(never).or_throw();
  });
  ReadEnd reader = fifo.open_for_reading(never).or_throw();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U);
  other.join();
}

TEST(Fifo, opening_is_stopped) {
  const kit::Watchdog watchdog("a stopped open returns");
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  Stop stop = Stop::create().or_throw();
  std::thread other([&] { stop.request(); });
  EXPECT_TRUE(fifo.open_for_reading(never.or_stop(stop)).failed_with(Errc::stopped));
  other.join();
  EXPECT_TRUE(fifo.open_for_writing(never.or_stop(stop)).failed_with(Errc::stopped));
  const ReadEnd reader = fifo.try_open_for_reading().or_throw();
  EXPECT_TRUE(fifo.open_for_writing(after(1h).or_stop(stop)).failed_with(Errc::stopped)) << "although there is a peer";
}

TEST(Fifo, lets_a_writer_in_that_sits_in_its_own_open) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::ReportedChild child("writer", [&] {
    const int end = ::open(name.path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::write(end, "x", 1), 1);
  });
  await_asleep(child.process().pid());
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  EXPECT_EQ(read_all(reader), "x");
  (void)child.finish(never);
}

TEST(Fifo, finds_a_reader_that_comes_to_sit_in_its_own_open) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  Child cat = spawn_program("sh", {"-c", "test \"$(cat \"$0\")\" = meow", name.path}).or_throw();
  fifo.open_for_writing(after(1h)).or_throw().write(bytes_of("meow"), never).or_throw();
  EXPECT_TRUE(cat.wait(never).or_throw().success());
}

TEST(Fifo, finds_its_peer_without_inotify_too) {
  kit::ReportedChild child("opener", [] {
    const kit::UniqueDirectory directory;
    const Named name(directory / "fifo");
    const Fifo fifo = Fifo::create(name.path).or_throw();
    if (!kit::refuse_call(SYS_inotify_init1, EMFILE)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    std::thread other([&] { EXPECT_TRUE(fifo.open_for_writing(after(1h))); });
    EXPECT_TRUE(fifo.open_for_reading(after(1h)));
    other.join();
  });
  (void)child.finish(never);
}

TEST(Fifo, shows_a_writer_that_has_come_and_gone) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::Sides sides({{"reader",
                     [&](kit::Stage&) {
                       ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
                       EXPECT_EQ(read_all(reader), "");
                     }},
                    {"writer", [&](kit::Stage&) { const auto gone = fifo.open_for_writing(after(1h)).or_throw(); }}});
}

TEST(Fifo, tells_the_survivor_when_a_side_is_killed) {  // F72
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::Sides sides({{"reader",
                     [&](kit::Stage& stage) {
                       ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
                       stage.signal("reading");
                       wait_to_be_killed();
                     }},
                    {"writer", [&](kit::Stage& stage) {
                       std::signal(SIGPIPE, SIG_DFL);
                       WriteEnd writer = fifo.open_for_writing(after(1h)).or_throw();
                       stage.await("killed");
                       EXPECT_TRUE(writer.wait_closed(after(1h)));
                       EXPECT_TRUE(writer.write(bytes_of("x"), never).failed_with(Errc::closed));
                       stage.signal("writer has seen it");
                       ReadEnd own = fifo.try_open_for_reading().or_throw();
                       writer.write(bytes_of("left"), never).or_throw();
                       stage.signal("left");
                       wait_to_be_killed();
                     }}});
  sides.stage().await("reading");
  sides.side("reader").kill();
  sides.stage().signal("killed");
  sides.stage().await("left");
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  sides.side("writer").kill();
  EXPECT_EQ(read_all(reader), "left");
}

TEST(Fifo, serves_many_who_open_it_at_once) {
  constexpr int writers = 8;
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  auto write = [&](kit::Stage& stage) {
    stage.barrier();
    WriteEnd writer = Fifo::open_or_create(name.path).or_throw().open_for_writing(after(1h)).or_throw();
    writer.write(bytes_of("12345678"), never).or_throw();
    stage.signal("written");
    stage.await("all read");  // else the reader might see the end between two of them
  };
  auto read = [&](kit::Stage& stage) {
    stage.barrier();
    ReadEnd reader = Fifo::open_or_create(name.path).or_throw().open_for_reading(after(1h)).or_throw();
    stage.await("written", writers);
    std::array<std::byte, 8 * writers + 1> all;
    EXPECT_EQ(reader.read(all, never).or_throw(), 8U * writers);
    stage.signal("all read");
  };
  std::vector<kit::Side> sides(writers, {"writer", write});
  sides.push_back({"reader", read});
  kit::run_sides(std::move(sides));
}

TEST(Fifo, goes_on_after_its_name_is_removed) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  ReadEnd reader = fifo.try_open_for_reading().or_throw();
  WriteEnd writer = fifo.try_open_for_writing().or_throw();
  EXPECT_TRUE(Fifo::unlink(name.path));
  EXPECT_TRUE(Fifo::open(name.path).failed_with(Errc::not_found));
  writer.write(bytes_of("x"), never).or_throw();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 1U);
  EXPECT_TRUE(fifo.try_open_for_writing()) << "the handle leads to the FIFO, not to the name";
}

TEST(Fifo, opens_what_was_checked_and_not_what_the_path_leads_to_by_now) {  // F75
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Named moved(directory / "moved");
  const Fifo checked = Fifo::create(name.path).or_throw();
  ASSERT_EQ(::rename(name.path.c_str(), moved.path.c_str()), 0);
  const Fifo planted = Fifo::create(name.path).or_throw();
  ReadEnd reader = planted.try_open_for_reading().or_throw();
  EXPECT_TRUE(checked.try_open_for_writing().failed_with(Errc::no_peer)) << "the planted one has a reader";
  EXPECT_TRUE(planted.try_open_for_writing());
}

TEST(Fifo, unlinks_fifos_alone) {
  const kit::UniqueDirectory directory;
  const Named file(directory / "file");
  ::close(::open(file.path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const Named symlink(directory / "symlink");
  ASSERT_EQ(::symlink("nowhere", symlink.path.c_str()), 0);
  EXPECT_TRUE(Fifo::unlink(file.path).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(symlink.path).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(directory.path()).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Fifo::unlink(directory / "nothing").failed_with(Errc::not_found));
  EXPECT_TRUE(Fifo::create(directory / "fifo"));
  EXPECT_TRUE(Fifo::unlink(directory / "fifo"));
  EXPECT_TRUE(Fifo::unlink(directory / "fifo").failed_with(Errc::not_found));
  EXPECT_EQ(kit::names_in(directory.path()).size(), 2U);
}

TEST(Fifo, leaves_nothing_behind_where_there_is_no_space) {  // F14
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    ASSERT_EQ(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "nr_inodes=2,mode=0700"), 0);
    {
      const Named one(directory / "one");
      EXPECT_TRUE(Fifo::create(one.path));
      EXPECT_TRUE(Fifo::create(directory / "two").failed_with(Errc::no_space));
      EXPECT_TRUE(Fifo::open_or_create(directory / "two").failed_with(Errc::no_space));
      EXPECT_EQ(kit::names_in(directory.path()).size(), 1U);
    }
    ASSERT_EQ(::umount(directory.path().c_str()), 0);
  });
}

TEST(Fifo, leaves_nothing_behind_at_the_limit_on_descriptors) {  // F14
  kit::ReportedChild child("at the limit", [] {
    const kit::UniqueDirectory directory;
    const Fd next = fd_from(::fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl").or_throw();
    const auto most = static_cast<rlim_t>(next.raw()) + 1;
    struct rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit limit{.rlim_cur = most, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto refused = Fifo::create(directory / "fifo");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "RLIMIT_NOFILE");
    EXPECT_THAT(kit::names_in(directory.path()), IsEmpty());
  });
  (void)child.finish(never);
}

TEST(Fifo, without_proc_is_not_supported_and_leaves_nothing_behind) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const Named name(directory / "fifo");
    const Fifo fifo = Fifo::create(name.path).or_throw();
    ASSERT_EQ(::mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const auto end = fifo.try_open_for_reading();
    EXPECT_TRUE(end.failed_with(Errc::not_supported));
    EXPECT_THAT(end.error().message(), HasSubstr("/proc is not mounted"));
    for (const auto& made : {Fifo::create(directory / "other"), Fifo::open_or_create(directory / "other")}) {
      ASSERT_TRUE(made.failed_with(Errc::not_supported)) << made.error().message();
      EXPECT_THAT(made.error().message(), HasSubstr("/proc is not mounted"));
    }
    EXPECT_EQ(kit::names_in(directory.path()).size(), 1U);
    ASSERT_EQ(::umount("/proc"), 0);
  });
}

TEST(Fifo, works_in_a_forked_child) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::ReportedChild child("child", [&] {
    fifo.open_for_writing(after(1h)).or_throw().write(bytes_of("from the child"), never).or_throw();
  });
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  EXPECT_EQ(read_all(reader), "from the child");
  (void)child.finish(never);
}

TEST(Fifo, gives_its_descriptor_away) {
  const kit::UniqueDirectory directory;
  const Named name(directory / "fifo");
  Fifo fifo = Fifo::create(name.path).or_throw();
  EXPECT_EQ(fifo.path(), name.path);
  EXPECT_EQ(::fcntl(fifo.fd().raw(), F_GETFD), FD_CLOEXEC);
  const Fd fd = std::move(fifo).into_fd();
  EXPECT_TRUE(fd.owns());
  EXPECT_TRUE(Fifo::open(name.path).or_throw().close());
}

}  // namespace
