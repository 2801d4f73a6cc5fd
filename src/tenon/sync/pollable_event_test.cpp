#include <tenon/sync/pollable_event.hpp>

#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/poll.hpp>

#include <gtest/gtest.h>
#include <sys/eventfd.h>

namespace {

using namespace tenon;

struct Manual {
  Event event{Event::Reset::manual};
};
struct Automatic {
  Event event{Event::Reset::automatic};
};

bool readable(const PollableEvent& event) { return wait_ready(event.fd(), Ready::reading, immediately).has_value(); }

TEST(PollableEvent, is_readable_while_it_is_set) {
  const kit::Shared<Manual> shared;
  const Fd bell = PollableEvent::make_bell().or_throw();
  PollableEvent event = PollableEvent::over(shared->event, bell.view()).or_throw();
  EXPECT_FALSE(readable(event));
  event.set().or_throw();
  event.set().or_throw();
  EXPECT_TRUE(readable(event));
  EXPECT_TRUE(event.try_wait());
  EXPECT_TRUE(readable(event)) << "it stays set";
  event.reset().or_throw();
  EXPECT_FALSE(readable(event));
  EXPECT_TRUE(event.try_wait().failed_with(Errc::would_block));
}

TEST(PollableEvent, that_is_automatic_is_silent_once_somebody_was_let_through) {
  const kit::Shared<Automatic> shared;
  const Fd bell = PollableEvent::make_bell().or_throw();
  PollableEvent event = PollableEvent::over(shared->event, bell.view()).or_throw();
  event.set().or_throw();
  EXPECT_TRUE(event.try_wait());
  EXPECT_FALSE(readable(event));
}

TEST(PollableEvent, rung_for_nothing_is_silenced_by_looking) {  // F44
  const kit::Shared<Manual> shared;
  const Fd bell = PollableEvent::make_bell().or_throw();
  PollableEvent event = PollableEvent::over(shared->event, bell.view()).or_throw();
  event.set().or_throw();
  shared->event.reset();  // by one that died before it silenced the bell
  EXPECT_TRUE(readable(event));
  EXPECT_TRUE(event.try_wait().failed_with(Errc::would_block));
  EXPECT_FALSE(readable(event));
  shared->event.set();  // by one that died before it rang
  EXPECT_TRUE(event.try_wait()) << "the event itself is the truth";
}

TEST(PollableEvent, is_heard_in_another_process) {
  const kit::Watchdog watchdog("an event that is polled for");
  const kit::Shared<Automatic> shared;
  const Fd bell = PollableEvent::make_bell().or_throw();
  PollableEvent event = PollableEvent::over(shared->event, bell.view()).or_throw();
  kit::Sides sides({{"poller", [&](kit::Stage& stage) {
                       for (int i = 1; i <= 100; ++i) {
                         do {
                           (void)wait_ready(event.fd(), Ready::reading, after(recheck_interval));
                         } while (!event.try_wait());
                         stage.signal("heard");
                       }
                     }}});
  for (unsigned i = 1; i <= 100; ++i) {
    event.set().or_throw();
    sides.stage().await("heard", i);
  }
  sides.finish();
}

TEST(PollableEvent, refuses_a_bell_that_blocks) {
  const kit::Shared<Manual> shared;
  const Fd blocking = fd_from(::eventfd(0, EFD_CLOEXEC), "eventfd").or_throw();
  EXPECT_TRUE(PollableEvent::over(shared->event, blocking.view()).failed_with(Errc::invalid_argument));
}

}  // namespace
