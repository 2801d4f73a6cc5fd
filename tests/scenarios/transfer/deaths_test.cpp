/// Ends of a channel that die, stand still or give up, at each moment that makes a difference.
#include "channel_fixture.hpp"

#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/shared.hpp>
#include <kit/signal_storm.hpp>

#include <atomic>
#include <csignal>
#include <sched.h>
#include <thread>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;

using ChannelDeaths = ChannelTest;

void wait_until_stopped(const Child& process) {
  while (procfs::process(process.pid()).or_throw().state != 'T') {
    ::sched_yield();
  }
}

TEST_F(ChannelDeaths, sender_and_receiver_may_be_two_threads_of_one_process) {
  std::thread sending([&] {
    Sender out = sender();
    for (unsigned seed = 0; seed < 20; ++seed) {
      out.send(pattern(100000, seed), soon()).or_throw();
    }
    std::move(out).finish(soon()).or_throw();
  });
  Receiver in = receiver();
  for (unsigned seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(in.receive(most, soon()).or_throw(), pattern(100000, seed));
  }
  EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
  std::move(in).finish(soon()).or_throw();
  sending.join();
}

// F55
TEST_F(ChannelDeaths, a_receiver_that_is_stopped_is_alive_and_goes_on) {
  const auto message = pattern(4000, 1);  // one frame goes wholly or not at all: what timed out may be sent again
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send(message, soon()).or_throw();
                       stage.await("stopped");
                       auto sent = out.send(message, soon());
                       while (sent) {
                         sent = out.send(message, after(milliseconds(200)));
                       }
                       EXPECT_TRUE(sent.failed_with(Errc::timed_out)) << sent.error().message();
                       stage.signal("blocked");
                       out.send(bytes_of("last"), soon()).or_throw();
                       std::move(out).finish(soon()).or_throw();
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_EQ(in.receive(most, soon()).or_throw(), message);
                       stage.signal("about to stop");
                       ::raise(SIGSTOP);
                       auto got = in.receive(most, soon()).or_throw();
                       while (got == message) {
                         got = in.receive(most, soon()).or_throw();
                       }
                       EXPECT_EQ(text_of(got), "last");
                       EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                       std::move(in).finish(soon()).or_throw();
                     }}});
  sides.stage().await("about to stop");
  Child& stopped = sides.side("receiver").process();
  wait_until_stopped(stopped);
  sides.stage().signal("stopped");
  sides.stage().await("blocked");
  stopped.signal(SIGCONT).or_throw();
}

TEST_F(ChannelDeaths, a_sender_that_dies_between_its_last_frame_and_its_end_is_told) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       PlayedSender out = played_sender();
                       out.part(bytes_of("whole"), 1, 0, FrameKind::last);
                       wait_for_death(stage);
                     }},
                    {"receiver", [&](kit::Stage&) {
                       Receiver in = receiver();
                       EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "whole");
                       const auto rest = in.receive(most, soon());
                       EXPECT_TRUE(rest.failed_with(Errc::peer_died)) << rest.error().message();
                       std::move(in).abandon();
                     }}});
  kill_when_ready(sides, "sender");
}

TEST_F(ChannelDeaths, a_sender_that_dies_after_its_end_has_sent_everything) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       PlayedSender out = played_sender();
                       out.part(bytes_of("whole"), 1, 0, FrameKind::last);
                       out.part({}, 2, 0, FrameKind::end);
                       wait_for_death(stage);
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       stage.await("killed");
                       EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "whole");
                       const auto rest = in.receive(most, soon());
                       EXPECT_TRUE(rest.failed_with(Errc::closed)) << rest.error().message();
                       std::move(in).finish(soon()).or_throw();
                     }}});
  kill_when_ready(sides, "sender");
}

TEST_F(ChannelDeaths, a_sender_that_dies_after_its_end_is_heard_out_although_another_speaks_first) {
  kit::Sides sides({{"short",
                     [&](kit::Stage& stage) {
                       stage.await("begun");
                       PlayedSender out = played_sender();
                       out.part(bytes_of("short"), 1, 0, FrameKind::last);
                       out.part({}, 2, 0, FrameKind::end);
                       wait_for_death(stage);
                     }},
                    {"long",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send_part(bytes_of("long, "), Sender::More::yes, soon()).or_throw();
                       stage.signal("begun");
                       stage.await("noticed");
                       out.send(bytes_of("longer"), soon()).or_throw();
                       std::move(out).finish(soon()).or_throw();
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "long, ");
                       stage.await("killed");
                       // Long enough to look at who is alive, more than once.
                       EXPECT_TRUE(in.receive_part(after(milliseconds(200))).failed_with(Errc::timed_out));
                       stage.signal("noticed");
                       EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "longer");
                       EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "short");
                       EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                       std::move(in).finish(soon()).or_throw();
                     }}});
  kill_when_ready(sides, "short");
}

TEST_F(ChannelDeaths, a_sender_that_dies_before_it_has_sent_anything_is_told) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       const PlayedSender out = played_sender();
                       wait_for_death(stage);
                     }},
                    {"holder",
                     [&](kit::Stage& stage) {
                       stage.await("ready to die");
                       const WriteEnd held = Fifo::open(path()).or_throw().open_for_writing(soon()).or_throw();
                       stage.signal("held");
                       stage.await("told");
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       const auto nothing = in.receive(most, soon());
                       EXPECT_TRUE(nothing.failed_with(Errc::peer_died)) << nothing.error().message();
                       stage.signal("told");
                       std::move(in).abandon();
                     }}});
  kill_when_ready(sides, "sender", "held");
}

// The sender stands still from its end on, so that it looks for what was confirmed when nobody is there any more.
TEST_F(ChannelDeaths, a_receiver_that_confirms_and_dies_has_received_everything) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage&) {
                       Sender out = sender();
                       out.send(bytes_of("whole"), soon()).or_throw();
                       std::move(out).finish(soon()).or_throw();
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       PlayedReceiver in = played_receiver();
                       const auto last = in.take(Frame::header_size + 5);
                       const auto end = in.take(Frame::header_size);
                       EXPECT_EQ(Frame::decode(end).or_throw().kind, FrameKind::end);
                       stage.signal("has everything");
                       stage.await("the sender is stopped");
                       in.rendezvous.confirm(Frame::decode(last).or_throw().sender, soon()).or_throw();
                       wait_for_death(stage);
                     }}});
  sides.stage().await("has everything");
  Child& sending = sides.side("sender").process();
  sending.signal(SIGSTOP).or_throw();
  wait_until_stopped(sending);
  sides.stage().signal("the sender is stopped");
  kill_when_ready(sides, "receiver");
  sending.signal(SIGCONT).or_throw();
}

TEST_F(ChannelDeaths, a_receiver_is_known_to_be_dead_although_another_process_holds_its_end_open) {
  for (const bool while_sending : {true, false}) {
    kit::Sides sides({{"sender",
                       [&](kit::Stage& stage) {
                         Sender out = sender();
                         out.send(bytes_of("first"), soon()).or_throw();
                         stage.await("killed");
                         // Much more than the pipe takes, or so little that only the end can tell.
                         auto sent = out.send(pattern(while_sending ? 16U << 20 : 10, 1), soon());
                         sent = sent ? std::move(out).finish(soon()) : sent;
                         EXPECT_TRUE(sent.failed_with(Errc::peer_died)) << sent.error().message();
                         stage.signal("told");
                       }},
                      {"holder",
                       [&](kit::Stage& stage) {
                         stage.await("receiver is there");
                         const ReadEnd held = Fifo::open(path()).or_throw().try_open_for_reading().or_throw();
                         stage.signal("ready to die");
                         stage.await("told");
                       }},
                      {"receiver", [&](kit::Stage& stage) {
                         Receiver in = receiver();
                         EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "first");
                         wait_for_death(stage, "receiver is there");
                       }}});
    kill_when_ready(sides, "receiver");
  }
}

// What the living one sends is more than a receiver holds back, so the dead one's message must not stay in its way.
TEST_F(ChannelDeaths, one_of_two_senders_dies_in_its_message_and_the_other_is_received_further) {
  constexpr int messages = 90;
  const auto message = pattern(1'000'000, 2);
  kit::Sides sides({{"dying",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send_part(pattern(9000, 1), Sender::More::yes, soon()).or_throw();
                       wait_for_death(stage);
                     }},
                    {"living",
                     [&](kit::Stage& stage) {
                       stage.await("ready to die");
                       Sender out = sender();
                       stage.signal("both are there");
                       stage.await("killed");
                       for (int i = 0; i < messages; ++i) {
                         out.send(message, soon()).or_throw();
                       }
                       std::move(out).finish(soon()).or_throw();
                     }},
                    {"receiver", [&](kit::Stage&) {
                       Receiver in = receiver();
                       const auto died = in.receive(most, soon());
                       EXPECT_TRUE(died.failed_with(Errc::peer_died)) << died.error().message();
                       for (int i = 0; i < messages; ++i) {
                         EXPECT_EQ(in.receive(most, soon()).or_throw(), message);
                       }
                       EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                       std::move(in).finish(soon()).or_throw();
                     }}});
  kill_when_ready(sides, "dying", "both are there");
}

TEST_F(ChannelDeaths, a_hundred_senders_at_once_are_all_received_and_all_told_so) {
  constexpr unsigned senders = 100;
  const kit::Shared<std::atomic<unsigned>> open;
  std::vector<Child> children;
  for (unsigned seed = 0; seed < senders; ++seed) {
    children.push_back(spawn([&, seed] {
                         const Deadline deadline = after(kit::patient(std::chrono::seconds(40)));
                         Sender out = open_sender(uri(), deadline).or_throw();
                         ++*open;
                         while (*open < senders) {
                           [[maybe_unused]] const auto slept = sleep_until(after(milliseconds(1)));
                         }
                         out.send(pattern(10000, seed), deadline).or_throw();
                         std::move(out).finish(deadline).or_throw();
                         return 0;
                       }).or_throw());
  }
  Receiver in = receiver();
  for (unsigned i = 0; i < senders; ++i) {
    const auto message = in.receive(most, soon()).or_throw();
    EXPECT_EQ(message, pattern(10000, static_cast<unsigned>(message.at(0)))) << "message " << i;
  }
  EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
  std::move(in).finish(soon()).or_throw();
  for (Child& child : children) {
    EXPECT_TRUE(child.wait(soon()).or_throw().success());
  }
}

// F71
TEST_F(ChannelDeaths, signals_that_interrupt_every_call_change_nothing) {
  const auto message = pattern(8'000'000, 3);
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     const kit::SignalStorm storm;
                     Sender out = sender();
                     out.send(message, soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                     EXPECT_GT(storm.count(), 0U);
                   }},
                  {"receiver", [&](kit::Stage&) {
                     const kit::SignalStorm storm;
                     Receiver in = receiver();
                     EXPECT_EQ(in.receive(most, soon()).or_throw(), message);
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
  const kit::SignalStorm storm;
  const Deadline deadline = after(milliseconds(100));
  EXPECT_TRUE(open_receiver(uri(), deadline).failed_with(Errc::timed_out));
  EXPECT_TRUE(deadline.passed());
  EXPECT_GT(storm.count(), 10U);
}

TEST_F(ChannelDeaths, a_message_that_a_deadline_cut_is_void_and_nothing_is_glued_to_it) {
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     const auto cut = out.send(pattern(16U << 20, 1), after(milliseconds(100)));
                     EXPECT_TRUE(cut.failed_with(Errc::timed_out));
                     EXPECT_TRUE(out.send(bytes_of("next"), soon()).failed_with(Errc::aborted));
                     stage.signal("cut");
                     stage.await("emptied");
                     EXPECT_TRUE(std::move(out).finish(soon()).failed_with(Errc::aborted));
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     stage.await("cut");
                     EXPECT_TRUE(in.receive(most, after(milliseconds(100))).failed_with(Errc::timed_out));
                     stage.signal("emptied");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::aborted));
                     std::move(in).abandon();
                   }}});
}

TEST_F(ChannelDeaths, a_receive_that_a_deadline_cut_keeps_what_has_come) {
  const auto message = pattern(20000, 1);
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     out.send_part(Bytes(message).first(9000), Sender::More::yes, soon()).or_throw();
                     stage.await("cut");
                     out.send(Bytes(message).subspan(9000), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_TRUE(in.receive(most, after(milliseconds(100))).failed_with(Errc::timed_out));
                     stage.signal("cut");
                     EXPECT_EQ(in.receive(most, soon()).or_throw(), message);
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST_F(ChannelDeaths, ends_that_are_dropped_leave_and_the_other_side_is_told) {
  kit::run_sides({{"sender",
                   [&](kit::Stage& stage) {
                     [[maybe_unused]] const Sender out = sender();
                     stage.await("open");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     stage.signal("open");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::aborted));
                   }}});
  kit::run_sides({{"receiver", [&](kit::Stage&) { [[maybe_unused]] const Receiver in = receiver(); }},
                  {"sender", [&](kit::Stage&) {
                     Sender out = sender();
                     const auto finished = std::move(out).finish(soon());
                     EXPECT_TRUE(finished.failed_with(Errc::closed)) << finished.error().message();
                   }}});
}

// F35
TEST_F(ChannelDeaths, a_forked_childs_copy_of_an_end_does_not_take_its_parent_out) {
  Rendezvous entered = enter(Role::receiver);
  Child child = spawn([&] {
                  const bool refused = Rendezvous(std::move(entered)).leave(soon()).failed_with(Errc::in_child);
                  return refused ? 0 : 1;
                }).or_throw();
  EXPECT_TRUE(child.wait(soon()).or_throw().success());
  EXPECT_EQ(entered.progress().or_throw(), Progress::open);
  std::move(entered).leave(soon()).or_throw();
}

}  // namespace
}  // namespace transfer
