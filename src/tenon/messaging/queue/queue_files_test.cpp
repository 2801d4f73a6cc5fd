// A queue's file: made by one, removed by another, or by nobody's leave; and what limits it.
#include <tenon/messaging/queue/queue.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/leak_check.hpp>
#include <kit/numbers.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace tenon;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

using kit::numbered;
using Job = kit::Numbers<7>;
using Jobs = Queue<Job>;
using Words = Queue<Slice<std::uint64_t>>;

class QueueFiles : public testing::Test {
 protected:
  ~QueueFiles() override {
    static_cast<void>(Jobs::remove(unique_.domain(), "q"));
    static_cast<void>(sweep(unique_.domain()));
  }
  Child start(const std::function<int(const Holder&)>& body) {
    return spawn([&] {
             const Life life = Life::join(unique_.domain()).or_throw();
             return body(Holder::of(unique_.domain(), life).or_throw());
           })
        .or_throw();
  }
  // A child that is asleep in what it does with the queue.
  Child asleep_in(const std::function<int(Jobs&)>& body) {
    Child child = start([&](const Holder& holder) {
      auto own = Jobs::open(holder, "q").or_throw();
      own.wait_by(Waiting::sleep);
      return body(own);
    });
    kit::until_asleep(child.pid());
    return child;
  }
  static void must_end_well(Child& child) { EXPECT_EQ(child.wait(never).or_throw().code(), 0); }
  std::string path() const { return unique_.path() + "/queue.q"; }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a queue's file", 60s};
};

// F1 F2
TEST_F(QueueFiles, refuses_names_that_are_none) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string("a\0b", 3), std::string(250, 'x')}) {
    EXPECT_TRUE(Jobs::create(holder_, name).failed_with(Errc::invalid_name));
    EXPECT_TRUE(Jobs::open(holder_, name).failed_with(Errc::invalid_name));
    EXPECT_TRUE(Jobs::remove(unique_.domain(), name).failed_with(Errc::invalid_name));
  }
  const std::string longest(249, 'x');
  EXPECT_TRUE(Jobs::create(holder_, longest));
  EXPECT_TRUE(Jobs::remove(unique_.domain(), longest));
}

// F4
TEST_F(QueueFiles, of_those_who_create_it_at_once_one_does) {
  constexpr std::uint32_t rounds = 25;
  const kit::Shared<std::array<std::atomic<std::uint32_t>, rounds>> made;
  const auto create = [&](kit::Stage& stage) {
    const Life life = Life::join(unique_.domain()).or_throw();
    const Holder holder = Holder::of(unique_.domain(), life).or_throw();
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::string name = "q" + std::to_string(round);
      stage.barrier();
      const auto own = Jobs::create(holder, name);
      EXPECT_TRUE(own || own.failed_with(Errc::already_exists));
      made->at(round) += own ? 1 : 0;
      stage.barrier();
      EXPECT_EQ(made->at(round), 1U);
      EXPECT_TRUE(Jobs::open(holder, name));
    }
  };
  kit::run_sides({{"one", create}, {"two", create}, {"three", create}});
  for (std::uint32_t round = 0; round < rounds; ++round) {
    EXPECT_TRUE(Jobs::remove(unique_.domain(), "q" + std::to_string(round)));
  }
}

// F5 F6 F22
TEST_F(QueueFiles, what_is_no_queue_is_refused_and_never_waited_for) {
  std::ofstream(path()).close();
  ::chmod(path().c_str(), 0600);
  EXPECT_FALSE(Jobs::open(holder_, "q"));
  EXPECT_TRUE(Jobs::create(holder_, "q").failed_with(Errc::already_exists));
  std::ofstream(path()) << std::string(8192, 'x');
  EXPECT_TRUE(Jobs::open(holder_, "q").failed_with(Errc::corrupt));
  EXPECT_TRUE(Jobs::remove(unique_.domain(), "q").failed_with(Errc::corrupt));
  std::filesystem::remove(path());
}

// F7
TEST_F(QueueFiles, one_that_is_being_made_is_seen_whole_or_not_at_all) {
  const auto make = [this](kit::Stage& stage) {
    const Life life = Life::join(unique_.domain()).or_throw();
    const Holder holder = Holder::of(unique_.domain(), life).or_throw();
    for (int i = 0; i < 200; ++i) {
      Jobs::create(holder, "q", {.messages = 1000}).or_throw();
      Jobs::remove(unique_.domain(), "q").or_throw();
    }
    stage.signal("made");
  };
  kit::Sides sides({{"maker", make}});
  int seen = 0;
  while (!sides.side("maker").process().wait(immediately)) {
    const auto opened = Jobs::open(holder_, "q");
    EXPECT_TRUE(opened || opened.failed_with(Errc::not_found)) << opened.error().message();
    seen += opened ? 1 : 0;
  }
  sides.finish();
  SUCCEED() << seen;
}

// F8
TEST_F(QueueFiles, a_removal_whose_process_was_killed_is_finished_by_whoever_comes_next) {
  for (int way = 0; way < 4; ++way) {
    {
      auto jobs = Jobs::create(holder_, "q").or_throw();
      const auto port = QueuePort::open(holder_, "q", QueueShape<Job>::type()).or_throw();
      port->memory().state().removed.store(1);  // all that was done of the removal
      EXPECT_TRUE(jobs.try_receive().failed_with(Errc::closed));
    }
    if (way == 0) {
      EXPECT_TRUE(Jobs::open(holder_, "q").failed_with(Errc::not_found));
    } else if (way == 1) {
      EXPECT_TRUE(Jobs::create(holder_, "q").or_throw().try_send(numbered<Job>(1)));
    } else if (way == 2) {
      EXPECT_TRUE(Words::create(holder_, "q"));  // of another type
    }
    if (way != 0) {
      EXPECT_TRUE(Jobs::remove(unique_.domain(), "q"));
    }
    EXPECT_TRUE(Jobs::open(holder_, "q").failed_with(Errc::not_found));
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
}

// F9
TEST_F(QueueFiles, who_removes_one_never_removes_another_of_its_name) {
  Jobs::create(holder_, "q").or_throw();
  {
    const Fd file = Fd::adopt(::open(path().c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(file.raw(), LOCK_EX), 0);
    Child remover = start(
        [this](const Holder&) { return Jobs::remove(unique_.domain(), "q").failed_with(Errc::not_found) ? 0 : 1; });
    kit::until_asleep(remover.pid());  // it has the old one open, and waits for its lock
    std::filesystem::remove(path());
    Jobs::create(holder_, "q").or_throw().try_send(numbered<Job>(1)).or_throw();
    ASSERT_EQ(::flock(file.raw(), LOCK_UN), 0);
    must_end_well(remover);
  }
  EXPECT_EQ(Jobs::open(holder_, "q").or_throw().try_receive().or_throw().value.number, 1U);
}

// F10
TEST_F(QueueFiles, who_has_one_open_that_was_removed_is_told_and_shares_nothing_with_the_next) {
  auto old = Jobs::create(holder_, "q").or_throw();
  old.try_send(numbered<Job>(1)).or_throw();
  Jobs::remove(unique_.domain(), "q").or_throw();
  auto next = Jobs::create(holder_, "q").or_throw();
  EXPECT_TRUE(old.try_receive().failed_with(Errc::closed));
  EXPECT_TRUE(old.receive(never).failed_with(Errc::closed));
  EXPECT_TRUE(old.send(numbered<Job>(2), never).failed_with(Errc::closed));
  EXPECT_TRUE(old.peek().failed_with(Errc::closed));
  EXPECT_TRUE(next.try_receive().failed_with(Errc::would_block));
}

// F10 F69
TEST_F(QueueFiles, who_waits_when_it_is_removed_is_told_that_it_is_closed) {
  auto jobs = Jobs::create(holder_, "q", {.messages = 1}).or_throw();
  Child receiver = asleep_in([](Jobs& own) { return own.receive(never).failed_with(Errc::closed) ? 0 : 1; });
  Jobs::remove(unique_.domain(), "q").or_throw();
  must_end_well(receiver);
  auto next = Jobs::create(holder_, "q", {.messages = 1}).or_throw();
  next.try_send(numbered<Job>(1)).or_throw();
  Child sender =
      asleep_in([](Jobs& own) { return own.send(numbered<Job>(2), never).failed_with(Errc::closed) ? 0 : 1; });
  Jobs::remove(unique_.domain(), "q").or_throw();
  must_end_well(sender);
}

// F11
TEST_F(QueueFiles, who_waits_when_somebody_takes_the_file_away_is_told_within_a_recheck) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  Child receiver = asleep_in([](Jobs& own) { return own.receive(never).failed_with(Errc::closed) ? 0 : 1; });
  std::filesystem::remove(path());
  must_end_well(receiver);
  EXPECT_TRUE(jobs.try_send(numbered<Job>(1)).failed_with(Errc::closed));
}

// F11
TEST_F(QueueFiles, who_is_taken_for_dead_since_its_life_file_was_taken_away_is_told_and_doubles_nothing) {
  auto jobs = Jobs::create(holder_, "q", {.messages = 2}).or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  const auto names = kit::names_in(unique_.path());
  const kit::Shared<std::atomic<std::uint32_t>> step;
  Child other = spawn([&] {
                  const Life life = Life::join(unique_.domain()).or_throw();
                  const Holder holder = Holder::of(unique_.domain(), life).or_throw();
                  auto own = Jobs::open(holder, "q").or_throw();
                  auto taken = own.take(never).or_throw();
                  for (const std::string& name : kit::names_in(unique_.path())) {
                    if (std::ranges::find(names, name) == names.end()) {
                      std::filesystem::remove(unique_.path() + "/" + name);  // its own life file
                    }
                  }
                  *step = 1;
                  while (*step != 2) {
                    ::sched_yield();
                  }
                  return std::move(taken).acknowledge().failed_with(Errc::not_found) &&
                                 own.try_send(numbered<Job>(2)).failed_with(Errc::not_found)
                             ? 0
                             : 1;
                }).or_throw();
  while (*step != 1) {
    ::sched_yield();
  }
  const auto got = jobs.receive(never).or_throw();
  EXPECT_EQ(got.value.number, 1U);
  EXPECT_EQ(got.deliveries, 2U);
  *step = 2;
  must_end_well(other);
  EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
}

// F13
TEST_F(QueueFiles, has_the_mode_of_its_domain_whatever_the_umask) {
  const mode_t before = ::umask(0777);
  auto jobs = Jobs::create(holder_, "q");
  ::umask(before);
  ASSERT_TRUE(jobs);
  struct stat status{};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

// F14 F15
TEST_F(QueueFiles, larger_than_memory_is_refused_before_and_leaves_nothing) {
  kit::in_private_namespaces([] {
    kit::UniqueDirectory directory;
    ASSERT_EQ(::mount("none", directory.path().c_str(), "tmpfs", 0, "size=256k,mode=0700"), 0);
    const auto domain = Domain::open(directory.path()).or_throw();
    {
      const Life life = Life::join(domain).or_throw();
      const Holder holder = Holder::of(domain, life).or_throw();
      const auto names = kit::names_in(directory.path());
      EXPECT_TRUE(Jobs::create(holder, "q", {.messages = 100'000}).failed_with(Errc::no_space));
      EXPECT_TRUE(Words::create(holder, "q", {.bytes = 1 << 20}).failed_with(Errc::no_space));
      EXPECT_EQ(kit::names_in(directory.path()), names);
      EXPECT_TRUE(Jobs::create(holder, "q", {.messages = 100}));
      Jobs::remove(domain, "q").or_throw();
    }
    ::umount2(directory.path().c_str(), MNT_DETACH);
  });
  EXPECT_TRUE(Words::create(holder_, "q", {.bytes = std::uint64_t{1} << 50}).failed_with(Errc::limit_reached));
  EXPECT_TRUE(Jobs::create(holder_, "q", {.messages = UINT32_MAX}).failed_with(Errc::invalid_argument));
}

// F32
TEST_F(QueueFiles, names_the_limit_of_members) {
  auto jobs = Jobs::create(holder_, "q", {.members = 2}).or_throw();
  {
    auto second = Jobs::open(holder_, "q").or_throw();
    const auto third = Jobs::open(holder_, "q");
    ASSERT_TRUE(third.failed_with(Errc::limit_reached));
    EXPECT_THAT(third.error().message(), HasSubstr("members is 2"));
  }
  EXPECT_TRUE(Jobs::open(holder_, "q"));
}

// F64
TEST_F(QueueFiles, members_that_come_and_go_cost_those_who_stay_nothing) {
  auto jobs = Jobs::create(holder_, "q", {.members = 2}).or_throw();
  const kit::LeakCheck check;
  for (int i = 0; i < 20; ++i) {
    Child member = start([](const Holder& holder) {
      auto own = Jobs::open(holder, "q").or_throw();
      ::raise(SIGSTOP);
      return 0;
    });
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(member.pid()), &stopped, WSTOPPED | WNOWAIT), 0);
    EXPECT_TRUE(Jobs::open(holder_, "q").failed_with(Errc::limit_reached));                  // it looks who is dead
    EXPECT_TRUE(jobs.receive(after(recheck_interval + 10ms)).failed_with(Errc::timed_out));  // so does this one
    member.signal(SIGCONT).or_throw();
    must_end_well(member);
  }
  EXPECT_TRUE(jobs.receive(after(recheck_interval + 10ms)).failed_with(Errc::timed_out));
}

// F68
TEST_F(QueueFiles, a_message_longer_than_there_is_room_for_stays_where_it_is) {
  auto words = Words::create(holder_, "q").or_throw();
  const std::vector<std::uint64_t> first(100, 7);
  const std::vector<std::uint64_t> second{8};
  words.try_send(first).or_throw();
  words.try_send(second).or_throw();
  std::array<std::uint64_t, 99> small{};
  for (int i = 0; i < 3; ++i) {
    const auto refused = words.receive(small, never);
    ASSERT_TRUE(refused.failed_with(Errc::message_too_long));
    EXPECT_THAT(refused.error().message(), HasSubstr("100"));
  }
  std::array<std::uint64_t, 100> room{};
  const auto got = words.receive(room, never).or_throw();
  EXPECT_EQ(got.count, 100U);
  EXPECT_EQ(got.deliveries, 1U);
  EXPECT_THAT(room, testing::Each(7));
  EXPECT_EQ(words.receive(never).or_throw().value, second);
}

// F69
TEST_F(QueueFiles, full_and_oversize_and_removed_are_three_outcomes) {
  auto words = Words::create(holder_, "q", {.messages = 2, .bytes = 1024}).or_throw();
  const std::vector<std::uint64_t> all(128, 1);
  const std::vector<std::uint64_t> more(129, 1);
  words.try_send(all).or_throw();
  EXPECT_TRUE(words.try_send(all).failed_with(Errc::would_block));
  EXPECT_TRUE(words.send(all, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(words.try_send(more).failed_with(Errc::message_too_long));
  EXPECT_TRUE(words.send(more, never).failed_with(Errc::message_too_long));
  Words::remove(unique_.domain(), "q").or_throw();
  EXPECT_TRUE(words.try_send(all).failed_with(Errc::closed));
  EXPECT_TRUE(words.send(all, never).failed_with(Errc::closed));
}

}  // namespace
