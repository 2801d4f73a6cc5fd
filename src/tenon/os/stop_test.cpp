#include <tenon/os/stop.hpp>

#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>

#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

// How a Stop ends each kind of wait stands in tests/conformance/wait_test.cpp.
namespace {

using tenon::Errc;
using tenon::Stop;

TEST(Stop, is_set_once_and_stays_set) {
  Stop stop = Stop::create().or_throw();
  EXPECT_FALSE(stop.requested());
  EXPECT_EQ(stop.word().load(), 0U);
  for (int i = 0; i < 3; ++i) {
    stop.request();
    EXPECT_TRUE(stop.requested());
    EXPECT_EQ(stop.word().load(), 1U);
  }
}

TEST(Stop, its_descriptor_is_readable_once_it_is_set) {
  Stop stop = Stop::create().or_throw();
  EXPECT_TRUE(wait_ready(stop.fd(), tenon::Ready::reading, tenon::immediately).failed_with(Errc::timed_out));
  stop.request();
  EXPECT_TRUE(wait_ready(stop.fd(), tenon::Ready::reading, tenon::immediately));
}

TEST(Stop, ends_waits_of_a_deadline_made_before_it_moved) {
  Stop stop = Stop::create().or_throw();
  const std::atomic<std::uint32_t>* const word = &stop.word();
  Stop moved = std::move(stop);
  EXPECT_EQ(&moved.word(), word) << "waiters sleep on its address";
  moved.request();
  EXPECT_TRUE(tenon::sleep_until(tenon::never.or_stop(moved)).failed_with(Errc::stopped));
}

TEST(Stop, a_request_leaves_errno_as_it_was) {
  kit::ReportedChild child("child", [] {
    Stop stop = Stop::create().or_throw();
    // With its counter full the write fails, which is when errno would change.
    const std::uint64_t full = UINT64_MAX - 1;
    ASSERT_EQ(::write(stop.fd().raw(), &full, sizeof full), static_cast<ssize_t>(sizeof full));
    errno = EDOM;
    stop.request();
    EXPECT_EQ(errno, EDOM);
    EXPECT_TRUE(stop.requested());
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(Stop, a_request_after_very_many_still_does_not_block) {
  const kit::Watchdog watchdog("a request never blocks");
  Stop stop = Stop::create().or_throw();
  const std::uint64_t full = UINT64_MAX - 1;
  ASSERT_EQ(::write(stop.fd().raw(), &full, sizeof full), static_cast<ssize_t>(sizeof full));
  stop.request();
  EXPECT_TRUE(wait_ready(stop.fd(), tenon::Ready::reading, tenon::immediately));
}

TEST(Stop, a_request_in_the_parent_ends_a_childs_wait_on_descriptors) {
  const kit::Watchdog watchdog("the child's sleep ends");
  Stop stop = Stop::create().or_throw();
  kit::ReportedChild child("child", [&] {
    const kit::Watchdog own("the child's sleep ends");
    EXPECT_TRUE(tenon::sleep_until(tenon::never.or_stop(stop)).failed_with(Errc::stopped));
  });
  stop.request();
  EXPECT_TRUE(child.finish(tenon::never));
}

TEST(Stop, a_deadline_without_one_is_never_asked_to_stop) {
  EXPECT_FALSE(tenon::stop_requested(tenon::never));
  EXPECT_FALSE(tenon::stop_requested(tenon::immediately));
}

}  // namespace
