// Opening an end: how long it waits for the other side, and what ends the wait.
#include <tenon/ipc/fifo/fifo.hpp>

#include <kit/asleep.hpp>
#include <kit/leak_check.hpp>
#include <kit/main_thread.hpp>
#include <kit/named_path.hpp>
#include <kit/read_all.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

constexpr uid_t stranger = 54323;

std::array<std::byte, 16> ignored;

TEST(Fifo, has_no_peer_until_somebody_opens_an_end) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
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
  const kit::NamedPath name(directory / "fifo");
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
  const kit::NamedPath name(directory / "fifo");
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
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  const kit::SignalStorm storm;
  std::thread other([&] {
    storm.await(20);
    const WriteEnd writer = fifo.open_for_writing(never).or_throw();
  });
  ReadEnd reader = fifo.open_for_reading(never).or_throw();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U);
  other.join();
}

TEST(Fifo, opening_is_stopped) {
  const kit::Watchdog watchdog("a stopped open returns");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
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
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::ReportedChild child("writer", [&] {
    const int end = ::open(name.path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::write(end, "x", 1), 1);
  });
  kit::until_asleep(child.process().pid());
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  EXPECT_EQ(kit::read_all(reader), "x");
  (void)child.finish(never);
}

TEST(Fifo, finds_a_reader_that_comes_to_sit_in_its_own_open) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  Child cat = spawn_program("sh", {"-c", "test \"$(cat \"$0\")\" = meow", name.path}).or_throw();
  fifo.open_for_writing(after(1h)).or_throw().write(bytes_of("meow"), never).or_throw();
  EXPECT_TRUE(cat.wait(never).or_throw().success());
}

TEST(Fifo, finds_its_peer_without_inotify_too) {
  kit::ReportedChild child("opener", [] {
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "fifo");
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

TEST(Fifo, opens_without_the_main_thread_too) {
  kit::without_main_thread([] {
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "fifo");
    const Fifo fifo = Fifo::create(name.path).or_throw();
    const ReadEnd reader = fifo.try_open_for_reading().or_throw();
    EXPECT_TRUE(fifo.open_for_writing(after(1h)));
  });
}

TEST(Fifo, opens_what_was_checked_and_not_what_the_path_leads_to_by_now) {  // F75
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const kit::NamedPath moved(directory / "moved");
  const Fifo checked = Fifo::create(name.path).or_throw();
  ASSERT_EQ(::rename(name.path.c_str(), moved.path.c_str()), 0);
  const Fifo planted = Fifo::create(name.path).or_throw();
  ReadEnd reader = planted.try_open_for_reading().or_throw();
  EXPECT_TRUE(checked.try_open_for_writing().failed_with(Errc::no_peer)) << "the planted one has a reader";
  EXPECT_TRUE(planted.try_open_for_writing());
}

TEST(Fifo, says_which_side_the_permissions_deny) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become the stranger to a FIFO";
  }
  const kit::UniqueDirectory directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  const kit::NamedPath name(directory / "fifo");
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

}  // namespace
