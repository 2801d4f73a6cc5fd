#include <tenon/ipc/pipe/pipe.hpp>

#include <kit/asleep.hpp>
#include <kit/descriptor_limit.hpp>
#include <kit/leak_check.hpp>
#include <kit/read_all.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;

std::array<std::byte, 16> ignored;

TEST(Pipe, carries_bytes_from_parent_to_child) {
  const kit::LeakCheck check;
  Pipe pipe = Pipe::pair().or_throw();
  kit::ReportedChild child("reader", [&] {
    ReadEnd reader = std::move(pipe).into_reader();
    EXPECT_EQ(kit::read_all(reader), "Hello from parent!");
  });
  WriteEnd writer = std::move(pipe).into_writer();
  writer.write(bytes_of("Hello "), never).or_throw();
  writer.write(bytes_of("from parent!"), never).or_throw();
  std::move(writer).close().or_throw();
  (void)child.finish(never);
}

TEST(Pipe, shows_no_end_as_long_as_anybody_holds_a_write_end) {
  Pipe pipe = Pipe::pair().or_throw();
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       stage.signal("holding");
                       kit::wait_to_be_killed();
                     }}});
  sides.stage().await("holding");
  ReadEnd reader = std::move(pipe).into_reader();
  EXPECT_TRUE(reader.read(ignored, after(20ms)).failed_with(Errc::timed_out));
  sides.side("holder").kill();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U);
}

TEST(Pipe, keeps_one_end_and_closes_the_other) {
  Pipe first = Pipe::pair().or_throw();
  ReadEnd reader = std::move(first).into_reader();
  EXPECT_EQ(reader.read(ignored, never).or_throw(), 0U) << "nobody holds the write end any more";
  Pipe second = Pipe::pair().or_throw();
  WriteEnd writer = std::move(second).into_writer();
  EXPECT_TRUE(writer.write(bytes_of("x"), never).failed_with(Errc::closed));
}

TEST(Pipe, is_closed_on_exec) {  // F36
  const Pipe pipe = Pipe::pair().or_throw();
  EXPECT_EQ(::fcntl(pipe.reader.fd().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(pipe.writer.fd().raw(), F_GETFD), FD_CLOEXEC);
}

TEST(Pipe, reaches_a_program_that_is_handed_an_end) {
  Pipe to = Pipe::pair().or_throw();
  Pipe from = Pipe::pair().or_throw();
  Child cat = spawn_program("cat", {}, {.descriptors = {{to.reader.fd(), 0}, {from.writer.fd(), 1}}, .environment = {}})
                  .or_throw();
  WriteEnd writer = std::move(to).into_writer();
  ReadEnd reader = std::move(from).into_reader();
  writer.write(bytes_of("there and back"), never).or_throw();
  std::move(writer).close().or_throw();
  EXPECT_EQ(kit::read_all(reader), "there and back");
  EXPECT_TRUE(cat.wait(never).or_throw().success());
}

TEST(Pipe, names_the_limit_on_descriptors_and_leaves_nothing_open) {
  kit::ReportedChild child("at the limit", [] {
    const kit::LeakCheck check;
    const kit::DescriptorLimit room_for_one(1);  // a pipe needs two
    room_for_one.expect_named_by(Pipe::pair());
  });
  (void)child.finish(never);
}

TEST(Pipe, holds_less_past_the_limit_of_all_of_a_users_pipes) {
  kit::ReportedChild child("user", [] {
    const std::uint64_t soft = procfs::number("/proc/sys/fs/pipe-user-pages-soft").or_throw();
    const std::uint64_t largest = procfs::number("/proc/sys/fs/pipe-max-size").or_throw();
    if (::geteuid() != 0 || soft == 0 || soft * 4096 / largest > 400) {
      GTEST_SKIP() << "needs root, to become a user without pipes, and fs.pipe-user-pages-soft (" << soft
                   << ") within reach";
    }
    ASSERT_EQ(::setresuid(54322, 54322, 54322), 0);
    EXPECT_EQ(Pipe::pair().or_throw().writer.capacity().or_throw(), 65536U);
    std::vector<Pipe> pipes;
    for (std::uint64_t pages = 0; pages < soft; pages += largest / 4096) {
      pipes.push_back(Pipe::pair().or_throw());
      if (!pipes.back().writer.set_capacity(largest)) {
        break;
      }
    }
    EXPECT_LT(Pipe::pair().or_throw().writer.capacity().or_throw(), 65536U);
  });
  (void)child.finish(never);
}

TEST(Pipe, gives_what_was_written_to_the_survivor_when_a_side_is_killed_in_the_middle) {
  Pipe pipe = Pipe::pair().or_throw();
  kit::Sides sides({{"writer",
                     [&](kit::Stage& stage) {
                       WriteEnd writer = std::move(pipe).into_writer();
                       writer.write(bytes_of("the first half"), never).or_throw();
                       stage.signal("half");
                       kit::wait_to_be_killed();
                     }},
                    {"reader", [&](kit::Stage&) {
                       ReadEnd reader = std::move(pipe).into_reader();
                       EXPECT_EQ(kit::read_all(reader), "the first half");
                     }}});
  const ReadEnd last_reader = std::move(pipe).into_reader();
  sides.stage().await("half");
  sides.side("writer").kill();
  sides.finish();
}

}  // namespace
