#include <tenon/os/fd.hpp>

#include <kit/leak_check.hpp>
#include <kit/reported_child.hpp>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using tenon::Errc;
using tenon::Fd;
using tenon::FdView;

Fd something() { return tenon::fd_from(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open").or_throw(); }

bool is_open(int raw) { return ::fcntl(raw, F_GETFD) != -1; }

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(Fd, closes_what_it_owns_when_it_goes) {
  int raw = -1;
  {
    const Fd fd = something();
    raw = fd.raw();
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(Fd, moved_from_it_owns_nothing) {
  Fd from = something();
  const int raw = from.raw();
  const Fd to = std::move(from);
  EXPECT_FALSE(from.owns());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(to.raw(), raw);
}

TEST(Fd, assigned_to_it_closes_its_own_at_once) {
  Fd to = something();
  Fd from = something();
  const int old = to.raw();
  const int raw = from.raw();
  to = std::move(from);
  EXPECT_FALSE(is_open(old));
  EXPECT_EQ(to.raw(), raw);
  EXPECT_FALSE(from.owns());  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(Fd, assigned_to_itself_it_keeps_what_it_owns) {
  Fd fd = something();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_TRUE(fd.owns());
  EXPECT_TRUE(is_open(fd.raw()));
}

TEST(Fd, release_gives_the_number_away_open) {
  Fd fd = something();
  const int raw = std::move(fd).release();
  EXPECT_FALSE(fd.owns());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(is_open(raw));
  EXPECT_EQ(::close(raw), 0);
}

TEST(Fd, close_tells_what_the_kernel_said) {
  EXPECT_TRUE(something().close());
  const int raw = something().raw();  // closed again by now
  const auto closed = Fd::adopt(raw).close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().os_error(), EBADF);
}

TEST(Fd, closed_it_leaves_the_number_to_whoever_gets_it_next) {
  Fd fd = something();
  const int raw = fd.raw();
  EXPECT_TRUE(std::move(fd).close());
  const Fd next = something();
  ASSERT_EQ(next.raw(), raw);
  {
    const Fd dies = std::move(fd);
  }
  EXPECT_TRUE(is_open(next.raw()));
}

TEST(Fd, an_empty_one_closes_without_error) { EXPECT_TRUE(Fd::adopt(-1).close()); }

// F36
TEST(FdView, a_duplicate_is_its_own_and_close_on_exec) {
  const kit::LeakCheck check;
  const Fd fd = something();
  const Fd copy = fd.view().duplicate().or_throw();
  EXPECT_NE(copy.raw(), fd.raw());
  EXPECT_EQ(::fcntl(copy.raw(), F_GETFD), FD_CLOEXEC);
}

TEST(FdView, a_duplicate_of_nothing_is_an_error) { EXPECT_FALSE(FdView(-1).duplicate()); }

TEST(FdFrom, names_the_limit_when_descriptors_run_out) {
  in_child([] {
    const Fd fd = something();
    const rlimit few{.rlim_cur = static_cast<rlim_t>(fd.raw()) + 1, .rlim_max = static_cast<rlim_t>(fd.raw()) + 1};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const auto refused = fd.view().duplicate();
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "RLIMIT_NOFILE");
    EXPECT_EQ(refused.error().limit()->value, few.rlim_cur);
    EXPECT_EQ(refused.error().limit()->wanted, few.rlim_cur + 1);
    EXPECT_FALSE(refused.error().limit()->remedy.empty());
  });
}

TEST(FdFrom, says_which_limit_of_the_whole_machine_is_reached) {
  const auto error = tenon::descriptor_failure("open", ENFILE);
  EXPECT_TRUE(error == Errc::limit_reached);
  EXPECT_NE(error.message().find("fs.file-max"), std::string::npos);
}

}  // namespace
