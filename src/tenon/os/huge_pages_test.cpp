#include <tenon/os/huge_pages.hpp>

#include <tenon/os/procfs.hpp>

#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace {

using namespace tenon;
using testing::HasSubstr;

HugePages pages_here() {
  const auto pages = huge_pages();
  return pages ? *pages : HugePages{};
}

class HugePagesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (pages_here().page == 0) {
      GTEST_SKIP() << "this kernel has no huge pages";
    }
  }
};

TEST_F(HugePagesTest, are_a_multiple_of_ordinary_ones) {
  const HugePages pages = huge_pages().or_throw();
  EXPECT_GT(pages.page, 4096U);
  EXPECT_EQ(pages.page % 4096, 0U);
  EXPECT_LE(pages.free, pages.total);
}

TEST_F(HugePagesTest, come_whole) {
  const std::size_t page = pages_here().page;
  EXPECT_TRUE(check_huge_size("shmget", 3 * page));
  const auto refused = check_huge_size("shmget", page + 4096);
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_THAT(refused.error().message(), HasSubstr("a multiple of " + std::to_string(page)));
}

TEST_F(HugePagesTest, that_the_pool_lacks_are_counted_and_the_remedy_is_told) {
  const HugePages pages = pages_here();
  const std::size_t wanted = (pages.total + 1'000'000) * pages.page;
  const Error error = huge_page_failure("shmget", ENOMEM, wanted);
  EXPECT_EQ(error, Errc::limit_reached);
  ASSERT_NE(error.limit(), nullptr);
  EXPECT_EQ(error.limit()->wanted, pages.total + 1'000'000);
  EXPECT_THAT(error.message(), HasSubstr("sysctl -w vm.nr_hugepages="));
}

TEST_F(HugePagesTest, that_one_may_not_have_name_the_right_that_is_missing) {
  const Error error = huge_page_failure("shmget", EPERM, pages_here().page);
  EXPECT_EQ(error, Errc::permission_denied);
  EXPECT_THAT(error.message(), HasSubstr("CAP_IPC_LOCK"));
}

}  // namespace
