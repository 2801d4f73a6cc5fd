#include <tenon/os/above_standard.hpp>

#include <kit/two_processes.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using tenon::Fd;

Fd something() { return tenon::fd_from(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open").or_throw(); }

TEST(AboveStandard, moves_what_has_the_number_of_a_standard_descriptor) {
  kit::run_sides({{"daemon", [](kit::Stage&) {
                     ::close(STDIN_FILENO);
                     Fd low = something();
                     ASSERT_EQ(low.raw(), STDIN_FILENO);
                     const Fd moved = above_standard(std::move(low)).or_throw();
                     EXPECT_GT(moved.raw(), STDERR_FILENO);
                     EXPECT_EQ(::fcntl(moved.raw(), F_GETFD), FD_CLOEXEC);
                     EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), -1);
                   }}});
}

TEST(AboveStandard, leaves_others_where_they_are) {
  Fd fd = something();
  const int raw = fd.raw();
  EXPECT_EQ(above_standard(std::move(fd)).or_throw().raw(), raw);
}

}  // namespace
