#include <tenon/base/bytes.hpp>
#include <tenon/channel/rendezvous.hpp>
#include <tenon/channel/rendezvous_file.hpp>
#include <tenon/os/process.hpp>

#include <kit/leak_check.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace tenon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr auto uri = "fifo:/nowhere/x";

// Counts what is asked of it instead of making anything. Each object made is another one.
struct CountingKeeper {
  std::shared_ptr<int> made = std::make_shared<int>(0);
  std::shared_ptr<int> removed = std::make_shared<int>(0);
  std::shared_ptr<std::optional<std::uint64_t>> there = std::make_shared<std::optional<std::uint64_t>>();

  ObjectKeeper keeper() const {
    return {.find = [there = there] { return Result<std::optional<std::uint64_t>>(*there); },
            .make =
                [made = made, there = there] {
                  *there = static_cast<std::uint64_t>(++*made);
                  return Result<void>();
                },
            .remove =
                [removed = removed, there = there](const Domain&, const std::string&, std::uint64_t object) {
                  if (*there && (object == 0 || object == **there)) {
                    ++*removed;
                    there->reset();
                  }
                }};
  }
};

class RendezvousTest : public testing::Test {
 protected:
  std::shared_ptr<const Domain> domain() const {
    return std::make_shared<Domain>(Domain::open(unique_.path()).or_throw());
  }
  Result<Rendezvous> join(Role role, const ObjectKeeper& keeper = {}) const {
    return Rendezvous::join(domain(), uri, role, keeper, after(seconds(10)));
  }
  // A process that enters and is then killed.
  pid_t join_and_die(Role role) const {
    Child child = spawn([&] {
                    auto joined = join(role);
                    return joined ? ::raise(SIGKILL) : 1;
                  }).or_throw();
    EXPECT_EQ(child.wait(after(seconds(10))).or_throw(), ExitStatus::killed(SIGKILL));
    return child.pid();
  }
  void leave(Rendezvous rendezvous) const {
    const auto left = std::move(rendezvous).leave(after(seconds(10)));
    EXPECT_TRUE(left.has_value()) << left.error().message();
  }

  const kit::Watchdog watchdog_{"a rendezvous"};
  const kit::LeakCheck leaks_;
  mutable kit::UniqueDomain unique_;
};

TEST_F(RendezvousTest, shows_each_end_to_the_other) {
  Rendezvous receiver = join(Role::receiver).or_throw();
  Rendezvous sender = join(Role::sender).or_throw();
  const auto entered = sender.entered(never).or_throw();
  ASSERT_EQ(entered.size(), 2U);
  EXPECT_EQ(entered[0].token, receiver.token());
  EXPECT_EQ(entered[0].role, Role::receiver);
  EXPECT_EQ(entered[1].token, sender.token());
  EXPECT_EQ(entered[1].pid, ::getpid());
  leave(std::move(receiver));
  leave(std::move(sender));
}

TEST_F(RendezvousTest, refuses_a_second_receiver_and_names_the_first) {
  Rendezvous first = join(Role::receiver).or_throw();
  const auto second = join(Role::receiver);
  ASSERT_TRUE(second.failed_with(Errc::already_exists));
  EXPECT_THAT(std::string(second.error().detail()), HasSubstr("pid " + std::to_string(::getpid())));
  leave(std::move(first));
}

TEST_F(RendezvousTest, lets_a_new_receiver_in_when_the_first_has_died) {
  join_and_die(Role::receiver);
  auto second = join(Role::receiver);
  ASSERT_TRUE(second.has_value()) << second.error().message();
  EXPECT_EQ(second->entered(never).or_throw().size(), 1U);
  leave(std::move(*second));
}

TEST_F(RendezvousTest, keeps_the_record_of_one_that_died_for_those_who_knew_it) {
  Rendezvous receiver = join(Role::receiver).or_throw();
  const pid_t dead = join_and_die(Role::sender);
  const auto entered = receiver.entered(never).or_throw();
  ASSERT_EQ(entered.size(), 2U);
  EXPECT_EQ(entered[1].pid, dead);
  EXPECT_FALSE(entered[1].alive);
  EXPECT_TRUE(entered[0].alive);
  leave(std::move(receiver));
}

TEST_F(RendezvousTest, makes_the_object_once_and_removes_it_with_the_last_one_out) {
  const CountingKeeper counting;
  Rendezvous receiver = join(Role::receiver, counting.keeper()).or_throw();
  Rendezvous sender = join(Role::sender, counting.keeper()).or_throw();
  EXPECT_EQ(*counting.made, 1);
  leave(std::move(receiver));
  EXPECT_EQ(*counting.removed, 0);
  leave(std::move(sender));
  EXPECT_EQ(*counting.removed, 1);
  EXPECT_THAT(kit::names_in(unique_.path()), testing::IsEmpty());
}

TEST_F(RendezvousTest, leaves_an_object_alone_that_was_there_before) {
  const CountingKeeper counting;
  *counting.there = 7;
  leave(join(Role::receiver, counting.keeper()).or_throw());
  EXPECT_EQ(*counting.made, 0);
  EXPECT_EQ(*counting.removed, 0);
}

// F62
TEST_F(RendezvousTest, starts_clean_after_all_were_killed) {
  join_and_die(Role::receiver);
  join_and_die(Role::sender);
  Rendezvous next = join(Role::sender).or_throw();
  EXPECT_EQ(next.entered(never).or_throw().size(), 1U);
  leave(std::move(next));
}

// F8 F9
TEST_F(RendezvousTest, sweeps_away_what_the_dead_left_at_other_channels) {
  const CountingKeeper counting;
  Child child = spawn([&] {
                  auto joined = join(Role::receiver, counting.keeper());
                  return joined ? ::raise(SIGKILL) : 1;
                }).or_throw();
  EXPECT_EQ(child.wait(after(seconds(10))).or_throw(), ExitStatus::killed(SIGKILL));
  *counting.there = 1;  // what the child made, in its own copy of this number
  Rendezvous::sweep(*domain(), counting.keeper());
  EXPECT_EQ(*counting.removed, 1);
  Rendezvous::sweep(*domain(), counting.keeper());
  EXPECT_EQ(*counting.removed, 1);
  leave(join(Role::receiver).or_throw());  // takes the dead one's life file away too
}

TEST_F(RendezvousTest, tells_a_sender_that_it_is_confirmed) {
  Rendezvous receiver = join(Role::receiver).or_throw();
  Rendezvous sender = join(Role::sender).or_throw();
  EXPECT_EQ(sender.progress().or_throw(), Progress::open);
  receiver.confirm(sender.token(), never).or_throw();
  EXPECT_EQ(sender.progress().or_throw(), Progress::confirmed);
  leave(std::move(receiver));
  EXPECT_EQ(sender.progress().or_throw(), Progress::confirmed);
  leave(std::move(sender));
}

TEST_F(RendezvousTest, counts_for_a_sender_the_receivers_that_left_without_confirming_it) {
  Rendezvous unheard = join(Role::sender).or_throw();
  Rendezvous heard = join(Role::sender).or_throw();
  EXPECT_EQ(unheard.receivers_gone().or_throw(), 0U);
  Rendezvous receiver = join(Role::receiver).or_throw();
  receiver.confirm(heard.token(), never).or_throw();
  leave(std::move(receiver));
  leave(join(Role::receiver).or_throw());
  EXPECT_EQ(unheard.receivers_gone().or_throw(), 2U);
  EXPECT_EQ(heard.receivers_gone().or_throw(), 0U);
  leave(std::move(heard));
  leave(std::move(unheard));
}

// F5
TEST_F(RendezvousTest, writes_a_file_anew_whose_creator_died_before_it_was_whole) {
  std::ofstream(unique_.directory() / RendezvousFile::name_for(uri)) << "TT";
  leave(join(Role::receiver).or_throw());
}

// F22
TEST_F(RendezvousTest, refuses_a_file_that_is_none_of_its_own) {
  const std::string path = unique_.directory() / RendezvousFile::name_for(uri);
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_TRUE(join(Role::receiver).failed_with(Errc::corrupt));
  ::unlink(path.c_str());
}

// F22
TEST_F(RendezvousTest, refuses_a_file_of_which_one_field_is_wrong) {
  const std::string path = unique_.directory() / RendezvousFile::name_for(uri);
  constexpr auto too_long = static_cast<std::uint32_t>(RendezvousFile::longest_uri + 1);
  const auto magic = bytes_of("nonesuch");
  for (const auto& [at, bytes] : {std::pair(offsetof(RendezvousHeader, magic), magic),
                                  std::pair(offsetof(RendezvousHeader, uri_length), bytes_of_value(too_long))}) {
    {
      const auto sound = RendezvousFile::lock_or_create(*domain(), uri, never).or_throw();
    }
    std::fstream(path, std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(at)) << text_of(bytes);
    const auto joined = join(Role::receiver);
    ASSERT_TRUE(joined.failed_with(Errc::corrupt)) << "byte " << at;
    EXPECT_THAT(joined.error().message(), HasSubstr("it is not a rendezvous file")) << "byte " << at;
    ::unlink(path.c_str());
  }
}

TEST_F(RendezvousTest, keeps_its_deadline_while_somebody_holds_the_lock) {
  auto held = RendezvousFile::lock_or_create(*domain(), uri, never).or_throw();
  const Deadline deadline = after(milliseconds(20));
  EXPECT_TRUE(Rendezvous::join(domain(), uri, Role::sender, {}, deadline).failed_with(Errc::timed_out));
  EXPECT_TRUE(deadline.passed());
  held.remove(*domain()).or_throw();
}

// F4
TEST_F(RendezvousTest, lets_exactly_one_of_many_receivers_in) {
  std::vector<kit::Side> sides;
  for (int i = 0; i < 8; ++i) {
    sides.push_back({"receiver " + std::to_string(i), [&](kit::Stage& stage) {
                       stage.barrier();
                       auto joined = join(Role::receiver);
                       if (joined) {
                         stage.signal("in");
                       } else {
                         EXPECT_EQ(joined.error().code(), Errc::already_exists) << joined.error().message();
                         stage.signal("refused");
                       }
                       stage.await("in", 1);
                       stage.await("refused", 7);
                       if (joined) {
                         leave(std::move(*joined));
                       }
                     }});
  }
  kit::run_sides(std::move(sides));
}

}  // namespace
}  // namespace tenon
