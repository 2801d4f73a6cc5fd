// The kernel's limits on sets, reached in namespaces of their own, where they are small and nobody else's count.
#include <tenon/ipc/sysv_semaphore/sysv_semaphore_limits.hpp>

#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>

#include <kit/private_namespaces.hpp>
#include <tenon/os/fd.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace tenon;
using testing::HasSubstr;

// SEMMSL, SEMMNS, SEMOPM, SEMMNI of this namespace.
bool set_limits(const std::string& four) {
  const int file = ::open("/proc/sys/kernel/sem", O_WRONLY | O_CLOEXEC);
  const bool set = file != -1 && ::write(file, four.data(), four.size()) == static_cast<ssize_t>(four.size());
  ::close(file);
  return set;
}

void with_limits(const std::string& four, const std::function<void()>& body) {
  kit::in_private_namespaces([&] {
    if (!set_limits(four)) {
      GTEST_SKIP() << "needs root, to set kernel.sem in a namespace";
    }
    body();
  });
}

Result<SysvSemaphore> new_set(std::size_t size) {
  return SysvSemaphore::create(SysvKey::unshared(), std::vector<std::uint16_t>(size, 1));
}

void expect_limit(const Error& error, const std::string& name, std::uint64_t value, std::uint64_t wanted) {
  ASSERT_EQ(error.code(), Errc::limit_reached) << error.message();
  ASSERT_NE(error.limit(), nullptr);
  EXPECT_EQ(error.limit()->name, name);
  EXPECT_EQ(error.limit()->value, value);
  EXPECT_EQ(error.limit()->wanted, wanted);
  EXPECT_THAT(error.message(), HasSubstr("kernel.sem"));
}

TEST(SysvSemaphoreLimits, names_how_many_sets_there_may_be) {
  with_limits("10 100 5 3", [] {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(new_set(1));
    }
    const auto refused = new_set(1);
    ASSERT_FALSE(refused);
    expect_limit(refused.error(), "SEMMNI", 3, 4);
    EXPECT_THAT(refused.error().message(), HasSubstr("remove sets that nobody uses"));
  });
}

TEST(SysvSemaphoreLimits, names_how_many_semaphores_there_may_be_in_all_sets) {
  with_limits("10 12 5 100", [] {
    EXPECT_TRUE(new_set(10));
    const auto refused = new_set(3);
    ASSERT_FALSE(refused);
    expect_limit(refused.error(), "SEMMNS", 12, 13);
    EXPECT_TRUE(new_set(2));
  });
}

TEST(SysvSemaphoreLimits, names_how_many_semaphores_a_set_may_have) {
  with_limits("10 100 5 100", [] {
    const auto refused = new_set(11);
    ASSERT_FALSE(refused);
    expect_limit(refused.error(), "SEMMSL", 10, 11);
    EXPECT_TRUE(new_set(10));
  });
}

TEST(SysvSemaphoreLimits, names_how_many_steps_an_operation_may_have) {
  with_limits("10 100 5 100", [] {
    const SysvSemaphore set = new_set(6).or_throw();
    std::vector<SemaphoreStep> steps;
    for (std::uint16_t which = 0; which < 6; ++which) {
      steps.push_back(SemaphoreStep::take(which));
    }
    const auto refused = set.operate(steps, never);
    ASSERT_FALSE(refused);
    expect_limit(refused.error(), "SEMOPM", 5, 6);
    EXPECT_EQ(set.value(0).or_throw(), 1U);
    steps.pop_back();
    EXPECT_TRUE(set.operate(steps, never));
  });
}

TEST(SysvSemaphoreLimits, knows_whose_a_set_is_without_a_look_at_it) {
  kit::in_private_namespaces([] {
    const SysvSemaphore first = new_set(1).or_throw();
    const SysvSemaphore set = new_set(1).or_throw();
    EXPECT_EQ(semaphore_limits::owner_of(set.id()), ::geteuid());
    EXPECT_EQ(semaphore_limits::owner_of(first.id() + 12345), std::nullopt);
  });
}

}  // namespace
