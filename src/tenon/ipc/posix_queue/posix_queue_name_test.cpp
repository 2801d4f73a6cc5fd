// What its name may be, and whose it may be.
#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::AllOf;
using testing::HasSubstr;

constexpr uid_t stranger = 54325;
constexpr PosixQueue::Limits small{.messages = 2, .message_bytes = 16};

TEST(PosixQueue, refuses_names_before_any_system_call) {  // F1 F2
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("jobs"), std::string("/a/b"), std::string("/."),
        std::string("/.."), std::string("/a\0b", 4), "/" + std::string(256, 'x')}) {
    EXPECT_TRUE(PosixQueue::create(name, small).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::open(name).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::open_or_create(name, small).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixQueue::unlink(name).failed_with(Errc::invalid_name)) << name;
  }
  const std::string longest = "/" + kit::unique_name(std::string(255 - 17, 'x'));
  ASSERT_EQ(longest.size(), 256U);
  EXPECT_TRUE(PosixQueue::create(longest, small));
  EXPECT_TRUE(PosixQueue::unlink(longest));
}

TEST(PosixQueue, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's queue";
  }
  const std::string name = "/" + kit::unique_name();
  const PosixQueue queue = PosixQueue::create(name, small, Permissions(0666)).or_throw();
  const UnlinkOnExit guard(PosixQueue::unlink, name);
  ASSERT_EQ(::fchown(queue.fd().raw(), stranger, stranger), 0);
  for (const auto& opened : {PosixQueue::open(name), PosixQueue::open_or_create(name, small)}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
    EXPECT_THAT(opened.error().message(), AllOf(HasSubstr("it belongs to uid 54325, not to uid 0"), HasSubstr(name)));
  }
  EXPECT_TRUE(PosixQueue::open(name, PosixQueue::Use::both, stranger)) << "whoever expects that owner may";
}

TEST(PosixQueue, that_the_mode_keeps_others_out_of_names_its_owner) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become somebody else";
  }
  kit::in_private_namespaces([] {
    const std::string name = "/" + kit::unique_name();
    const PosixQueue queue = PosixQueue::create(name, small).or_throw();
    const UnlinkOnExit guard(PosixQueue::unlink, name);
    kit::ReportedChild child("stranger", [&] {
      ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
      const auto opened = PosixQueue::open(name);
      ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
      EXPECT_THAT(opened.error().message(), HasSubstr("it belongs to uid 0, and its mode is 0600"));
      const auto unlinked = PosixQueue::unlink(name);
      ASSERT_TRUE(unlinked.failed_with(Errc::permission_denied));
      EXPECT_THAT(unlinked.error().message(), HasSubstr("mq_unlink"));
    });
    (void)child.finish(never);
  });
}

}  // namespace
