// What its key leads to, whose it may be, and how many there may be.
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>

#include <kit/own_queue.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <tenon/os/procfs.hpp>

#include <array>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

namespace {

using namespace tenon;
using kit::OwnQueue;
using kit::received;
using Types = SysvQueue::Types;
using testing::AllOf;
using testing::HasSubstr;

constexpr uid_t stranger = 54326;

std::array<std::byte, 8192> ignored;

TEST(SysvQueue, is_found_by_its_key_and_a_private_one_by_its_identifier_alone) {
  const OwnQueue shared(kit::unique_key());
  EXPECT_EQ(SysvQueue::open(shared.key).or_throw().id(), shared.queue.id());
  EXPECT_EQ(shared.queue.status().or_throw().key, shared.key);
  EXPECT_TRUE(SysvQueue::open(kit::unique_key()).failed_with(Errc::not_found));
  EXPECT_TRUE(SysvQueue::open(SysvKey::unshared()).failed_with(Errc::invalid_argument));
  OwnQueue one;
  const OwnQueue other;
  EXPECT_NE(one.queue.id(), other.queue.id());
  SysvQueue adopted = SysvQueue::adopt(one.queue.id());
  adopted.send(bytes_of("by number"), 1, never).or_throw();
  EXPECT_EQ(received(one.queue, Types::any()), "by number/1");
}

TEST(SysvQueue, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's queue";
  }
  const OwnQueue one(kit::unique_key(), Permissions(0666));
  msqid_ds status{};
  ASSERT_EQ(::msgctl(one.queue.id(), IPC_STAT, &status), 0);
  status.msg_perm.uid = stranger;
  ASSERT_EQ(::msgctl(one.queue.id(), IPC_SET, &status), 0);
  const auto opened = SysvQueue::open(one.key);
  ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
  EXPECT_THAT(opened.error().message(), HasSubstr("it belongs to uid 54326, not to uid 0"));
  EXPECT_TRUE(SysvQueue::open_or_create(one.key).failed_with(Errc::permission_denied));
  // Given away, it is still its maker's too: who expects the stranger's must not trust it.
  const auto given = SysvQueue::open(one.key, stranger);
  ASSERT_TRUE(given.failed_with(Errc::permission_denied));
  EXPECT_THAT(given.error().message(), HasSubstr("it belongs to uid 0, not to uid 54326"));
}

TEST(SysvQueue, that_the_mode_keeps_others_out_of_names_its_owner) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become somebody else";
  }
  const OwnQueue one(kit::unique_key());
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const auto opened = SysvQueue::open(one.key);
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
    EXPECT_THAT(opened.error().message(), HasSubstr("it belongs to uid 0, not to uid 54326"));
    const auto removed = SysvQueue::unlink(one.key);
    ASSERT_TRUE(removed.failed_with(Errc::permission_denied));
    EXPECT_THAT(removed.error().message(), HasSubstr("it belongs to uid 0"));
    SysvQueue adopted = SysvQueue::adopt(one.queue.id());
    EXPECT_TRUE(adopted.try_send(bytes_of("x"), 1).failed_with(Errc::permission_denied));
    EXPECT_TRUE(adopted.try_receive(ignored, Types::any()).failed_with(Errc::permission_denied));
  });
  (void)child.finish(never);
}

TEST(SysvQueueLimits, as_many_queues_as_msgmni_allows_and_one_more) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to lower kernel.msgmni in a namespace of its own";
  }
  kit::in_private_namespaces([] {
    std::ofstream("/proc/sys/kernel/msgmni") << 2;
    const OwnQueue one;
    const OwnQueue two;
    const auto refused = SysvQueue::create(kit::unique_key());
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("kernel.msgmni is 2, 3 wanted"), HasSubstr("sysctl -w kernel.msgmni=N")));
  });
}

TEST(SysvQueueLimits, a_capacity_beyond_msgmnb_names_it) {
  kit::in_private_namespaces([] {
    if (::geteuid() == 0) {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    }
    OwnQueue one;
    const auto msgmnb = procfs::number("/proc/sys/kernel/msgmnb").or_throw();
    EXPECT_EQ(one.queue.status().or_throw().capacity, msgmnb);
    const auto refused = one.queue.set_capacity(msgmnb + 1);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("kernel.msgmnb is " + std::to_string(msgmnb)), HasSubstr("sysctl -w kernel.msgmnb=N")));
    EXPECT_TRUE(one.queue.set_capacity(msgmnb - 1));
  });
}

}  // namespace
