// What a channel's ends do while others are in their way: copies of them in forked children, a lock that somebody
// keeps, files that somebody planted, receivers that come and go.
#include "channel_fixture.hpp"

#include <tenon/os/futex.hpp>

#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace transfer {
namespace {

using namespace tenon;
using std::chrono::milliseconds;
using testing::HasSubstr;

class ChannelPatience : public ChannelTest {};

// F35
TEST_F(ChannelPatience, ends_copied_into_a_forked_child_refuse_and_leave_the_conversation_alone) {
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     out.send(bytes_of("first"), soon()).or_throw();
                     Child child = spawn([&] {
                                     const bool refused =
                                         out.send(bytes_of("no"), soon()).failed_with(Errc::in_child) &&
                                         out.check().failed_with(Errc::in_child);
                                     std::move(out).abort();
                                     return refused ? 0 : 1;
                                   }).or_throw();
                     EXPECT_TRUE(child.wait(soon()).or_throw().success());
                     out.send(bytes_of("second"), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "first");
                     Child child = spawn([&] {
                                     const bool refused = in.receive(most, soon()).failed_with(Errc::in_child);
                                     return refused && std::move(in).finish(soon()).failed_with(Errc::in_child) ? 0 : 1;
                                   }).or_throw();
                     EXPECT_TRUE(child.wait(soon()).or_throw().success());
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "second");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// Somebody who is stopped may keep the rendezvous' lock for as long as it likes.
TEST_F(ChannelPatience, a_first_frame_waits_for_the_rendezvous_lock_and_is_not_lost) {
  kit::run_sides({{"first",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     out.send(bytes_of("first"), soon()).or_throw();
                     stage.await("second is there");
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"second",
                   [&](kit::Stage& stage) {
                     stage.await("first was received");
                     PlayedSender out = played_sender();
                     const Fd lock = fd_from(::open(rendezvous_path().c_str(), O_RDWR | O_CLOEXEC), "open").or_throw();
                     ASSERT_EQ(::flock(lock.raw(), LOCK_EX), 0);
                     out.part(bytes_of("second"), 1, 0, FrameKind::last);
                     stage.signal("locked");
                     stage.await("timed out");
                     ASSERT_EQ(::flock(lock.raw(), LOCK_UN), 0);
                     stage.signal("unlocked");
                     out.part({}, 2, 0, FrameKind::end);
                     stage.await("second was received");
                     stage.signal("second is there");
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "first");
                     stage.signal("first was received");
                     stage.await("locked");
                     EXPECT_TRUE(in.receive(most, after(milliseconds(200))).failed_with(Errc::timed_out));
                     EXPECT_TRUE(in.receive(most, immediately).failed_with(Errc::timed_out));
                     stage.signal("timed out");
                     stage.await("unlocked");
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "second");
                     stage.signal("second was received");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// F80: what is held back costs memory even if nothing is in it.
TEST_F(ChannelPatience, empty_messages_that_are_held_back_count) {
  kit::run_sides({{"slow",
                   [&](kit::Stage& stage) {
                     Sender out = sender();
                     out.send_part(bytes_of("I have begun"), Sender::More::yes, soon()).or_throw();
                     stage.signal("begun");
                     stage.await("refused");
                     std::move(out).abort();
                   }},
                  {"flooding",
                   [&](kit::Stage& stage) {
                     stage.await("begun");
                     Sender out = sender();
                     while (out.send({}, soon())) {
                     }
                     std::move(out).abort();
                   }},
                  {"receiver", [&](kit::Stage& stage) {
                     Receiver in = receiver();
                     EXPECT_EQ(text_of(in.receive_part(soon()).or_throw().data), "I have begun");
                     const auto full = in.receive_part(soon());
                     EXPECT_TRUE(full.failed_with(Errc::limit_reached));
                     stage.signal("refused");
                     std::move(in).abandon();
                   }}});
}

// F75: only a file that stands under the name of its own channel, and is one's own, may say what is to be removed.
TEST_F(ChannelPatience, a_planted_rendezvous_file_removes_nothing) {
  const std::string mine = directory_ / "mine";
  ASSERT_EQ(::mkfifo(mine.c_str(), 0600), 0);
  {
    auto domain = std::make_shared<const Domain>(Domain::open(domain_.path()).or_throw());
    // Says that a channel made the FIFO, and that all who used it are dead; it stands under another channel's name.
    auto planted = RendezvousFile::lock_or_create(*domain, "fifo:" + mine, soon()).or_throw();
    struct stat made{};
    ASSERT_EQ(::lstat(mine.c_str(), &made), 0);
    planted.note_object(true, (static_cast<std::uint64_t>(made.st_dev) << 40U) ^ made.st_ino).or_throw();
    std::filesystem::rename(domain_.path() + "/" + RendezvousFile::name_for("fifo:" + mine),
                            domain_.path() + "/channel.0000000000000000");
  }
  std::move(*std::make_unique<Rendezvous>(enter(Role::receiver))).leave(soon()).or_throw();
  struct stat status{};
  EXPECT_EQ(::lstat(mine.c_str(), &status), 0) << "it was removed on the word of a planted file";
  std::filesystem::remove(domain_.path() + "/channel.0000000000000000");
  std::filesystem::remove(mine);
}

// Somebody who opened the FIFO and closed it again leaves an end that poll(2) calls ready for good.
TEST_F(ChannelPatience, a_receiver_that_a_stranger_left_hung_up_sleeps_until_somebody_comes) {
  kit::run_sides({{"stranger",
                   [&](kit::Stage& stage) {
                     while (!Fifo::open(path())) {
                       [[maybe_unused]] const auto slept = sleep_until(after(milliseconds(1)));
                     }
                     {
                       const WriteEnd end = Fifo::open(path()).or_throw().open_for_writing(soon()).or_throw();
                     }
                     stage.signal("gone");
                   }},
                  {"sender",
                   [&](kit::Stage& stage) {
                     stage.await("gone");
                     [[maybe_unused]] const auto slept = sleep_until(after(milliseconds(600)));
                     Sender out = sender();
                     out.send(bytes_of("at last"), soon()).or_throw();
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     struct rusage before{};
                     struct rusage behind{};
                     ASSERT_EQ(::getrusage(RUSAGE_THREAD, &before), 0);
                     const std::int64_t began = monotonic_now();
                     Receiver in = receiver();
                     const std::int64_t waited = (monotonic_now() - began) / 1'000'000;
                     ASSERT_EQ(::getrusage(RUSAGE_THREAD, &behind), 0);
                     // It looks every 50 ms; one that looks every 5 ms would sleep far more often.
                     EXPECT_LT(behind.ru_nvcsw - before.ru_nvcsw, 20 + waited / 20) << "in " << waited << " ms";
                     EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "at last");
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

// It would get the rest of what the one before it has the beginning of.
TEST_F(ChannelPatience, a_sender_does_not_go_on_to_a_receiver_that_took_the_dead_ones_place) {
  kit::Sides sides({{"sender",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send(bytes_of("to the first"), soon()).or_throw();
                       stage.await("second is there");
                       // It looks at most so often, and must be due to look again.
                       [[maybe_unused]] const auto slept = sleep_until(after(2 * recheck_interval));
                       const auto sent = out.send(bytes_of("to the first, too"), soon());
                       EXPECT_TRUE(sent.failed_with(Errc::peer_died)) << (sent ? "sent" : sent.error().message());
                       stage.signal("told");
                       std::move(out).abort();
                     }},
                    {"second",
                     [&](kit::Stage& stage) {
                       stage.await("killed");
                       const PlayedReceiver in = played_receiver();
                       stage.signal("second is there");
                       stage.await("told");
                     }},
                    {"first", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       EXPECT_EQ(text_of(in.receive(most, soon()).or_throw()), "to the first");
                       wait_for_death(stage);
                     }}});
  kill_when_ready(sides, "first");
}

}  // namespace
}  // namespace transfer
