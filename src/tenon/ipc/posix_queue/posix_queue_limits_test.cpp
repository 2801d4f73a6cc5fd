#include <tenon/ipc/posix_queue/posix_queue_limits.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/os/procfs.hpp>

#include <cstdint>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

constexpr uid_t stranger = 54325;
constexpr PosixQueue::Limits small{.messages = 2, .message_bytes = 16};

// Somebody without privileges, and with no queue of his own yet: limits do not bind root, and are counted for each
// user.
void as_stranger(uid_t user, const std::function<void()>& body) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become a user who holds no queues";
  }
  kit::in_private_namespaces([&] {
    ASSERT_EQ(::setresgid(user, user, user), 0);
    ASSERT_EQ(::setresuid(user, user, user), 0);
    body();
  });
}

void expect_limit(const Result<PosixQueue>& refused, const std::string& name, std::uint64_t value, std::uint64_t wanted,
                  const std::string& remedy) {
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached)) << (refused ? "made" : refused.error().message());
  ASSERT_NE(refused.error().limit(), nullptr) << refused.error().message();
  EXPECT_EQ(refused.error().limit()->name, name);
  EXPECT_EQ(refused.error().limit()->value, value);
  EXPECT_EQ(refused.error().limit()->wanted, wanted);
  EXPECT_THAT(refused.error().message(), HasSubstr(remedy));
}

TEST(PosixQueueLimits, attributes_beyond_msg_max_and_msgsize_max_name_the_sysctl) {  // F66
  as_stranger(stranger, [] {
    const auto messages = procfs::number("/proc/sys/fs/mqueue/msg_max").or_throw();
    expect_limit(PosixQueue::create("/x", {.messages = messages + 1, .message_bytes = 1}), "fs.mqueue.msg_max",
                 messages, messages + 1, "sysctl -w fs.mqueue.msg_max=N");
    const auto bytes = procfs::number("/proc/sys/fs/mqueue/msgsize_max").or_throw();
    expect_limit(PosixQueue::create("/x", {.messages = 1, .message_bytes = bytes + 1}), "fs.mqueue.msgsize_max", bytes,
                 bytes + 1, "sysctl -w fs.mqueue.msgsize_max=N");
    EXPECT_TRUE(PosixQueue::create("/x", {.messages = messages, .message_bytes = bytes}));
    EXPECT_TRUE(PosixQueue::unlink("/x"));
  });
}

TEST(PosixQueueLimits, attributes_that_nobody_may_have_are_refused_to_root_too) {  // F66
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, for whom the sysctls do not count";
  }
  const std::string name = "/" + kit::unique_name();
  expect_limit(PosixQueue::create(name, {.messages = 65537, .message_bytes = 1}), "fs.mqueue.msg_max", 65536, 65537,
               "no queue may have more");
  expect_limit(PosixQueue::create(name, {.messages = 1, .message_bytes = (16U << 20) + 1}), "fs.mqueue.msgsize_max",
               16U << 20, (16U << 20) + 1, "no queue may have more");
  EXPECT_TRUE(PosixQueue::create(name, {.messages = 0, .message_bytes = 1}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixQueue::create(name, {.messages = 1, .message_bytes = 0}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixQueue::create(name, {.messages = SIZE_MAX, .message_bytes = 1}).failed_with(Errc::invalid_argument));
}

TEST(PosixQueueLimits, as_many_queues_as_queues_max_allows_and_one_more) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to lower fs.mqueue.queues_max in a namespace of its own";
  }
  kit::in_private_namespaces([] {
    std::ofstream("/proc/sys/fs/mqueue/queues_max") << 2;
    kit::ReportedChild child("stranger", [] {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
      EXPECT_TRUE(PosixQueue::create("/1", small));
      EXPECT_TRUE(PosixQueue::create("/2", small));
      expect_limit(PosixQueue::create("/3", small), "fs.mqueue.queues_max", 2, 3, "sysctl -w fs.mqueue.queues_max=N");
      EXPECT_TRUE(PosixQueue::open_or_create("/2", small)) << "what exists needs no new place";
      EXPECT_TRUE(PosixQueue::unlink("/1"));
      EXPECT_TRUE(PosixQueue::create("/3", small));
    });
    (void)child.finish(never);
  });
}

TEST(PosixQueueLimits, the_bytes_of_all_of_a_users_queues_name_rlimit_msgqueue_and_what_is_held) {  // F67
  // The kernel lets go of a namespace's queues some time after it is gone: nobody else makes any as this user.
  as_stranger(stranger + 1000, [] {
    constexpr PosixQueue::Limits limits{.messages = 10, .message_bytes = 8192};
    const std::uint64_t each = posix_queue_charge(limits);
    const struct rlimit bytes{.rlim_cur = 2 * each, .rlim_max = 2 * each};
    ASSERT_EQ(::setrlimit(RLIMIT_MSGQUEUE, &bytes), 0);
    // Exactly two: the charge is what the kernel counts, to the byte.
    EXPECT_TRUE(PosixQueue::create("/1", limits));
    EXPECT_TRUE(PosixQueue::create("/2", limits));
    const auto refused = PosixQueue::create("/3", {.messages = 1, .message_bytes = 1});
    const std::uint64_t needed = posix_queue_charge({.messages = 1, .message_bytes = 1});
    expect_limit(refused, "RLIMIT_MSGQUEUE", 2 * each, 2 * each + needed, "ulimit -q");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("this queue needs " + std::to_string(needed) + " bytes"),
                      HasSubstr("holds 2 queues of " + std::to_string(2 * each) + " bytes")));
    EXPECT_TRUE(PosixQueue::unlink("/1"));
    EXPECT_TRUE(PosixQueue::create("/3", limits));
    EXPECT_TRUE(PosixQueue::unlink("/2"));
    EXPECT_TRUE(PosixQueue::unlink("/3"));
  });
}

}  // namespace
