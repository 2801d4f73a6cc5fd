#include <tenon/ipc/fifo/fifo.hpp>

#include <kit/asleep.hpp>
#include <kit/named_path.hpp>
#include <kit/read_all.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

std::array<std::byte, 16> ignored;

TEST(Fifo, carries_bytes_between_processes_that_share_only_the_path_in_either_order) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  kit::run_in_either_order(
      [&](const auto& here) {
        const Fifo fifo = Fifo::open_or_create(name.path).or_throw();
        here();
        WriteEnd writer = fifo.open_for_writing(after(1h)).or_throw();
        writer.write(bytes_of("Hello via FIFO!"), never).or_throw();
      },
      [&](const auto& here) {
        const Fifo fifo = Fifo::open_or_create(name.path).or_throw();
        here();
        ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
        EXPECT_EQ(kit::read_all(reader), "Hello via FIFO!");
      });
}

TEST(Fifo, shows_a_writer_that_has_come_and_gone) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::Sides sides({{"reader",
                     [&](kit::Stage&) {
                       ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
                       EXPECT_EQ(kit::read_all(reader), "");
                     }},
                    {"writer", [&](kit::Stage&) { const auto gone = fifo.open_for_writing(after(1h)).or_throw(); }}});
}

TEST(Fifo, tells_the_survivor_when_a_side_is_killed) {  // F72
  const kit::Watchdog watchdog("a FIFO whose other side is killed");
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::Sides sides({{"reader",
                     [&](kit::Stage& stage) {
                       ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
                       stage.signal("reading");
                       kit::wait_to_be_killed();
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
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("reading");
  sides.side("reader").kill();
  sides.stage().signal("killed");
  sides.stage().await("left");
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  sides.side("writer").kill();
  EXPECT_EQ(kit::read_all(reader), "left");
}

TEST(Fifo, serves_many_who_open_it_at_once) {
  constexpr int writers = 8;
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
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
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  ReadEnd reader = fifo.try_open_for_reading().or_throw();
  WriteEnd writer = fifo.try_open_for_writing().or_throw();
  EXPECT_TRUE(Fifo::unlink(name.path));
  EXPECT_TRUE(Fifo::open(name.path).failed_with(Errc::not_found));
  writer.write(bytes_of("x"), never).or_throw();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 1U);
  EXPECT_TRUE(fifo.try_open_for_writing()) << "the handle leads to the FIFO, not to the name";
}

TEST(Fifo, works_in_a_forked_child) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const Fifo fifo = Fifo::create(name.path).or_throw();
  kit::ReportedChild child("child", [&] {
    fifo.open_for_writing(after(1h)).or_throw().write(bytes_of("from the child"), never).or_throw();
  });
  ReadEnd reader = fifo.open_for_reading(after(1h)).or_throw();
  EXPECT_EQ(kit::read_all(reader), "from the child");
  (void)child.finish(never);
}

TEST(Fifo, gives_its_descriptor_away) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  Fifo fifo = Fifo::create(name.path).or_throw();
  EXPECT_EQ(fifo.path(), name.path);
  EXPECT_EQ(::fcntl(fifo.fd().raw(), F_GETFD), FD_CLOEXEC);
  const Fd fd = std::move(fifo).into_fd();
  EXPECT_TRUE(fd.owns());
  EXPECT_TRUE(Fifo::open(name.path).or_throw().close());
}

}  // namespace
