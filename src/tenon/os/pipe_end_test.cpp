#include <tenon/os/pipe_end.hpp>

#include <kit/reported_child.hpp>
#include <tenon/base/deadline.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace tenon;

std::pair<Fd, Fd> new_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {Fd::adopt(ends[0]), Fd::adopt(ends[1])};
}

// Another user, with no pipes of its own and no privileges; nobody else's processes run under it.
void become_a_user_without_pipes() {
  if (::setresuid(54321, 54321, 54321) == -1) {
    EXPECT_FALSE(::geteuid() == 0) << "root may become another user";
  }
}

TEST(PipeEnd, tells_and_changes_the_capacity) {
  auto [reader, writer] = new_pipe();
  EXPECT_EQ(set_pipe_capacity(writer.view(), 131072).or_throw(), 131072U);
  EXPECT_EQ(pipe_capacity(reader.view()).or_throw(), 131072U);
  EXPECT_EQ(set_pipe_capacity(reader.view(), 5000).or_throw(), 8192U) << "rounded up to a power of two of pages";
  EXPECT_EQ(set_pipe_capacity(reader.view(), 0).or_throw(), 4096U) << "never below a page";
}

TEST(PipeEnd, names_the_limit_that_the_capacity_would_pass) {
  kit::ReportedChild child("user", [] {
    become_a_user_without_pipes();
    auto [reader, writer] = new_pipe();
    const std::uint64_t most = procfs::number("/proc/sys/fs/pipe-max-size").or_throw();
    const auto refused = set_pipe_capacity(writer.view(), 2 * most);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "fs.pipe-max-size");
    EXPECT_EQ(refused.error().limit()->value, most);
    EXPECT_EQ(refused.error().limit()->wanted, 2 * most);
  });
  (void)child.finish(never);
}

TEST(PipeEnd, names_the_limit_of_all_of_a_users_pipes) {
  kit::ReportedChild child("user", [] {
    const std::uint64_t most = procfs::number("/proc/sys/fs/pipe-max-size").or_throw();
    const std::uint64_t soft = procfs::number("/proc/sys/fs/pipe-user-pages-soft").or_throw();
    if (soft == 0 || soft * 4096 / most > 400) {
      GTEST_SKIP() << "fs.pipe-user-pages-soft is " << soft << ": too many pipes would be needed";
    }
    if (::geteuid() != 0) {
      GTEST_SKIP() << "needs root, to become a user without pipes";
    }
    become_a_user_without_pipes();
    std::vector<std::pair<Fd, Fd>> pipes;
    auto grown = Result<std::size_t>(0);
    while (grown) {
      ASSERT_LE(pipes.size(), 450U);
      pipes.push_back(new_pipe());
      grown = set_pipe_capacity(pipes.back().second.view(), most);
    }
    ASSERT_TRUE(grown.failed_with(Errc::limit_reached));
    ASSERT_NE(grown.error().limit(), nullptr);
    EXPECT_EQ(grown.error().limit()->name, "fs.pipe-user-pages-soft");
    EXPECT_EQ(grown.error().limit()->value, soft);
    EXPECT_EQ(grown.error().limit()->wanted, most / 4096);
  });
  (void)child.finish(never);
}

TEST(PipeEnd, refuses_a_capacity_that_no_call_could_report) {
  auto [reader, writer] = new_pipe();
  for (const std::size_t bytes : {(std::size_t{1} << 30) + 1, std::size_t{INT_MAX}, SIZE_MAX}) {
    const auto refused = set_pipe_capacity(writer.view(), bytes);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->wanted, bytes);
  }
}

TEST(PipeEnd, would_block_when_asked_to_hold_less_than_it_does) {
  auto [reader, writer] = new_pipe();
  const std::string pages(3 * 4096, 'x');
  ASSERT_EQ(::write(writer.raw(), pages.data(), pages.size()), static_cast<ssize_t>(pages.size()));
  EXPECT_TRUE(set_pipe_capacity(writer.view(), 4096).failed_with(Errc::would_block));
  EXPECT_EQ(pipe_buffered(reader.view()).or_throw(), pages.size());
  EXPECT_EQ(pipe_buffered(writer.view()).or_throw(), pages.size());
}

TEST(PipeEnd, is_told_from_other_descriptors) {
  auto [reader, writer] = new_pipe();
  EXPECT_TRUE(is_pipe(reader.view()));
  EXPECT_TRUE(is_pipe(writer.view()));
  const Fd file = fd_from(::open("/dev/null", O_RDWR | O_CLOEXEC), "open").or_throw();
  EXPECT_FALSE(is_pipe(file.view()));
  EXPECT_FALSE(is_pipe(FdView(-1)));
  EXPECT_TRUE(pipe_capacity(file.view()).failed_with(errc_of(EBADF)));
}

}  // namespace
