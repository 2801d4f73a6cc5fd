// Queues between processes, of which some are killed or stopped at the worst moment.
#include <tenon/messaging/queue/queue.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <kit/leak_check.hpp>
#include <kit/numbers.hpp>
#include <kit/patience.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using kit::numbered;
using Job = kit::Numbers<7>;
using Jobs = Queue<Job>;
using Texts = Queue<Bytes>;

std::unique_ptr<QueuePort> port_of(const Holder& holder) {
  return QueuePort::open(holder, "q", QueueShape<Job>::type()).or_throw();
}

class QueueProcesses : public testing::Test {
 protected:
  ~QueueProcesses() override {
    static_cast<void>(Jobs::remove(unique_.domain(), "q"));
    static_cast<void>(sweep(unique_.domain()));
  }
  // A child that joins, does this, and kills itself.
  void killed_after(const std::function<void(const Holder&)>& what) {
    Child child = start([&](const Holder& holder) {
      what(holder);
      return ::raise(SIGKILL);
    });
    ASSERT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  }
  Child start(const std::function<int(const Holder&)>& body) {
    return spawn([&] {
             const Life life = Life::join(unique_.domain()).or_throw();
             return body(Holder::of(unique_.domain(), life).or_throw());
           })
        .or_throw();
  }
  static void until_stopped(const Child& child) {
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &stopped, WSTOPPED | WNOWAIT), 0);
  }
  static void must_end_well(Child& child) { EXPECT_EQ(child.wait(never).or_throw().code(), 0); }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"queues between processes", 60s};
};

constexpr std::uint64_t senders = 4;
constexpr std::uint64_t jobs_of_each = 5000;

// Marks what it receives, until it is told that there is no more.
void receive_all(const Holder& holder, std::span<std::atomic<std::uint32_t>> received) {
  auto jobs = Jobs::open(holder, "q").or_throw();
  std::array<std::uint64_t, senders> last{};
  for (auto got = jobs.receive(never).or_throw(); got.value.number != 0; got = jobs.receive(never).or_throw()) {
    ASSERT_TRUE(kit::is_whole(got.value));
    ASSERT_EQ(got.deliveries, 1U);
    const std::uint64_t sender = (got.value.number - 1) / jobs_of_each;
    ASSERT_LT(last.at(sender), got.value.number) << "a sender's messages change places";
    last.at(sender) = got.value.number;
    ++received[got.value.number - 1];
  }
}

TEST_F(QueueProcesses, every_message_of_four_senders_comes_to_one_of_four_receivers_once) {
  struct Marks {
    std::array<std::atomic<std::uint32_t>, senders * jobs_of_each> received = {};
  };
  const kit::Shared<Marks> marks;
  auto jobs = Jobs::create(holder_, "q", {.messages = 100}).or_throw();
  std::vector<kit::Side> sides;
  for (std::uint64_t i = 0; i < senders; ++i) {
    const auto joined = [this](auto body) {
      return [this, body](kit::Stage& stage) {
        const Life life = Life::join(unique_.domain()).or_throw();
        body(Holder::of(unique_.domain(), life).or_throw(), stage);
      };
    };
    sides.push_back({"sender", joined([i](const Holder& holder, kit::Stage& stage) {
                       auto own = Jobs::open(holder, "q").or_throw();
                       for (std::uint64_t n = 1; n <= jobs_of_each; ++n) {
                         own.send(numbered<Job>(i * jobs_of_each + n), never).or_throw();
                       }
                       stage.signal("sent");
                     })});
    sides.push_back(
        {"receiver", joined([&](const Holder& holder, kit::Stage&) { receive_all(holder, marks->received); })});
  }
  kit::Sides running(std::move(sides), 50s);
  running.stage().await("sent", senders);
  for (std::uint64_t i = 0; i < senders; ++i) {
    jobs.send(Job{}, never).or_throw();
  }
  running.finish();
  EXPECT_TRUE(std::ranges::all_of(marks->received, [](const auto& count) { return count == 1; }));
}

// F58 F60
TEST_F(QueueProcesses, what_a_dead_receiver_had_comes_before_all_later_ones_and_tells_that_it_came_back) {
  auto jobs = Jobs::create(holder_, "q", {.messages = 3}).or_throw();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    jobs.try_send(numbered<Job>(i)).or_throw();
  }
  killed_after([](const Holder& holder) {
    auto port = port_of(holder);
    static_cast<void>(port->take(never).or_throw());
    ::raise(SIGKILL);
  });
  while (jobs.fill().taken != 0) {
    EXPECT_TRUE(jobs.try_send(numbered<Job>(4)).failed_with(Errc::would_block));
    ::sched_yield();
  }
  EXPECT_EQ(jobs.fill().returned, 1U);
  std::vector<std::uint32_t> deliveries;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto got = jobs.try_receive().or_throw();
    EXPECT_EQ(got.value.number, i);
    deliveries.push_back(got.deliveries);
  }
  EXPECT_THAT(deliveries, testing::ElementsAre(2, 1, 1));
}

// F58 F60
TEST_F(QueueProcesses, a_receiver_that_waits_gets_what_a_dead_one_had) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  killed_after([](const Holder& holder) {
    auto own = Jobs::open(holder, "q").or_throw();
    const auto taken = own.take(never).or_throw();
    ::raise(SIGKILL);
  });
  const auto got = jobs.receive(never).or_throw();
  EXPECT_EQ(got.value.number, 1U);
  EXPECT_EQ(got.deliveries, 2U);
}

// F59
TEST_F(QueueProcesses, a_sender_killed_while_it_writes_holds_nobody_up_and_its_slot_is_free_again) {
  auto jobs = Jobs::create(holder_, "q", {.messages = 2}).or_throw();
  killed_after([](const Holder& holder) {
    auto own = Jobs::open(holder, "q").or_throw();
    const auto loan = own.loan(never).or_throw();
    ::raise(SIGKILL);
  });
  EXPECT_EQ(jobs.fill().being_sent, 1U);
  jobs.try_send(numbered<Job>(1)).or_throw();
  jobs.send(numbered<Job>(2), never).or_throw();
  EXPECT_EQ(jobs.try_receive().or_throw().value.number, 1U);
  EXPECT_EQ(jobs.try_receive().or_throw().value.number, 2U);
  EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
}

// F59
TEST_F(QueueProcesses, a_message_whose_sender_was_killed_before_it_told_anybody_is_received) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  killed_after([](const Holder& holder) {
    auto port = port_of(holder);
    const auto held = port->claim(sizeof(Job), never).or_throw();
    *::new (port->bytes_of(held)) Job = numbered<Job>(1);
    QueueSlot& slot = port->memory().slot(held.slot);
    slot.length = sizeof(Job);
    slot.state.store(held.state.in(SlotPhase::ready).word());
    ::raise(SIGKILL);  // before the hint, and before the bell
  });
  const auto got = jobs.receive(never).or_throw();
  EXPECT_EQ(got.value.number, 1U);
  EXPECT_TRUE(kit::is_whole(got.value));
}

// F44
TEST_F(QueueProcesses, a_sender_killed_before_it_wakes_anybody_is_noticed_within_a_recheck) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  Child waiter = start([](const Holder& holder) {
    auto own = Jobs::open(holder, "q").or_throw();
    own.wait_by(Waiting::sleep);
    return own.receive(never).or_throw().value.number == 1 ? 0 : 1;
  });
  killed_after([](const Holder& holder) {
    auto port = port_of(holder);
    while ((port->memory().arrived().word().load() & 1U) == 0) {
      ::sched_yield();
    }
    const auto held = port->claim(sizeof(Job), never).or_throw();
    *::new (port->bytes_of(held)) Job = numbered<Job>(1);
    QueueSlots(port->memory(), holder.token(), held.state.member).commit(held, sizeof(Job), lowest_priority);
    ::raise(SIGKILL);
  });
  must_end_well(waiter);
}

// F55
TEST_F(QueueProcesses, a_receiver_that_is_stopped_keeps_what_it_has_taken) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  Child receiver = start([](const Holder& holder) {
    auto own = Jobs::open(holder, "q").or_throw();
    auto taken = own.take(never).or_throw();
    ::raise(SIGSTOP);
    return std::move(taken).acknowledge() ? 0 : 1;
  });
  until_stopped(receiver);
  EXPECT_TRUE(jobs.receive(after(3 * recheck_interval)).failed_with(Errc::timed_out));
  receiver.signal(SIGCONT).or_throw();
  must_end_well(receiver);
  EXPECT_TRUE(jobs.receive(after(3 * recheck_interval)).failed_with(Errc::timed_out));
}

// F61
TEST_F(QueueProcesses, who_is_stopped_in_the_lock_keeps_nobody_past_its_deadline) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  Child stopped = start([](const Holder& holder) {
    auto port = port_of(holder);
    const auto guard = port->memory().taking().lock(never).or_throw();
    ::raise(SIGSTOP);
    return 0;
  });
  until_stopped(stopped);
  // Ten times that would still be far less than each look's patience with the lock, times all looks.
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(jobs.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kit::patient(5s));
  jobs.send(numbered<Job>(2), never).or_throw();
  stopped.signal(SIGCONT).or_throw();
  must_end_well(stopped);
  EXPECT_EQ(jobs.receive(never).or_throw().value.number, 1U);
}

// F61
TEST_F(QueueProcesses, who_is_stopped_in_the_lock_does_not_keep_what_others_give_back_or_close_with) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  jobs.try_send(numbered<Job>(2)).or_throw();
  auto taken = jobs.take(never).or_throw();
  auto other = port_of(holder_);
  static_cast<void>(other->take(never).or_throw());
  Child stopped = start([](const Holder& holder) {
    auto port = port_of(holder);
    const auto guard = port->memory().taking().lock(never).or_throw();
    ::raise(SIGSTOP);
    return 0;
  });
  until_stopped(stopped);
  EXPECT_TRUE(std::move(taken).give_back());
  other.reset();
  stopped.signal(SIGCONT).or_throw();
  must_end_well(stopped);
  EXPECT_EQ(jobs.receive(never).or_throw().value.number, 1U);
  EXPECT_EQ(jobs.receive(never).or_throw().value.number, 2U);
}

// F61
TEST_F(QueueProcesses, who_is_stopped_while_it_looks_for_room_costs_no_slot) {
  auto texts = Texts::create(holder_, "q", {.messages = 3, .bytes = 4096}).or_throw();
  const std::vector<std::byte> text(1000);
  for (int i = 0; i < 3; ++i) {
    texts.try_send(text).or_throw();
  }
  Child stopped = start([](const Holder& holder) {
    auto port = QueuePort::open(holder, "q", QueueShape<Bytes>::type()).or_throw();
    const auto guard = port->memory().allocating().lock(never).or_throw();
    ::raise(SIGSTOP);
    return 0;
  });
  until_stopped(stopped);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(texts.try_receive().or_throw().value.size(), text.size());
  }
  stopped.signal(SIGCONT).or_throw();
  must_end_well(stopped);
  for (int i = 0; i < 3; ++i) {
    texts.send(text, never).or_throw();
  }
  EXPECT_EQ(texts.fill().waiting, 3U);
}

// F62
TEST_F(QueueProcesses, after_all_were_killed_at_once_the_next_finds_all_messages_and_all_room) {
  constexpr std::uint32_t messages = 40;
  constexpr std::uint64_t stay = 10;
  {
    auto jobs = Jobs::create(holder_, "q", {.messages = messages}).or_throw();
    for (std::uint64_t i = 1; i <= stay; ++i) {
      jobs.try_send(numbered<Job>(i)).or_throw();
    }
  }
  std::vector<Child> children;
  const kit::Shared<std::atomic<std::uint64_t>> rounds;
  for (std::uint64_t i = 0; i < 4; ++i) {
    children.push_back(start([&](const Holder& holder) {
      auto own = Jobs::open(holder, "q").or_throw();
      for (std::uint64_t n = 1000 * (i + 1);; ++n, ++*rounds) {
        static_cast<void>(own.try_send(numbered<Job>(n), Priority(1)));
        if (auto taken = own.try_take(); taken && (*taken)->number > stay) {
          std::move(*taken).acknowledge().or_throw();
        }
      }
      return 0;
    }));
  }
  while (*rounds < 2000) {
    ::sched_yield();
  }
  for (const Child& child : children) {
    ::kill(child.pid(), SIGKILL);
  }
  for (Child& child : children) {
    EXPECT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  }
  auto jobs = Jobs::open(holder_, "q").or_throw();
  std::vector<std::uint64_t> stayed;
  while (stayed.size() < stay) {
    const auto got = jobs.receive(never).or_throw();
    EXPECT_TRUE(kit::is_whole(got.value));
    if (got.value.number <= stay) {
      stayed.push_back(got.value.number);
    }
  }
  std::ranges::sort(stayed);
  EXPECT_THAT(stayed, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  while (jobs.fill().being_sent + jobs.fill().taken + jobs.fill().waiting != 0) {
    static_cast<void>(jobs.receive(after(1ms)));
  }
  for (std::uint32_t i = 0; i < messages; ++i) {
    EXPECT_TRUE(jobs.try_send(numbered<Job>(i)));
  }
}

// F64
TEST_F(QueueProcesses, crashes_and_restarts_leave_nothing_behind) {
  auto jobs = Jobs::create(holder_, "q", {.messages = 4, .members = 2}).or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  const auto names = kit::names_in(unique_.path());
  const auto bytes = std::filesystem::file_size(unique_.path() + "/queue.q");
  const kit::LeakCheck check;
  constexpr int cycles = 300;
  for (int i = 0; i < cycles; ++i) {
    killed_after([](const Holder& holder) {
      auto own = Jobs::open(holder, "q").or_throw();  // the other place: whoever was there before is found dead
      const auto taken = own.take(never).or_throw();
      const auto loan = own.loan(never).or_throw();
      ::raise(SIGKILL);
    });
  }
  const auto got = jobs.receive(never).or_throw();
  EXPECT_EQ(got.value.number, 1U);
  EXPECT_EQ(got.deliveries, cycles + 1U);
  EXPECT_EQ(jobs.fill().returned, static_cast<std::uint64_t>(cycles));
  static_cast<void>(sweep(unique_.domain()).or_throw());
  EXPECT_EQ(kit::names_in(unique_.path()), names);
  EXPECT_EQ(std::filesystem::file_size(unique_.path() + "/queue.q"), bytes);
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(jobs.try_send(numbered<Job>(i)));
  }
}

// F35
TEST_F(QueueProcesses, a_forked_child_is_refused_and_takes_nothing_from_its_parent) {
  auto jobs = Jobs::create(holder_, "q").or_throw();
  jobs.try_send(numbered<Job>(1)).or_throw();
  jobs.try_send(numbered<Job>(2)).or_throw();
  auto taken = jobs.take(never).or_throw();
  auto loan = jobs.loan(never).or_throw();
  Child child = spawn([&] {
                  const bool refused = jobs.send(numbered<Job>(3), never).failed_with(Errc::in_child) &&
                                       jobs.try_send(numbered<Job>(3)).failed_with(Errc::in_child) &&
                                       jobs.receive(never).failed_with(Errc::in_child) &&
                                       jobs.try_receive().failed_with(Errc::in_child) &&
                                       jobs.try_take().failed_with(Errc::in_child) &&
                                       jobs.peek().failed_with(Errc::in_child) &&
                                       jobs.send(std::move(loan)).failed_with(Errc::in_child) &&
                                       std::move(taken).acknowledge().failed_with(Errc::in_child) &&
                                       Jobs::open(holder_, "q").failed_with(Errc::in_child);
                  const auto own = std::move(jobs);
                  return refused ? 0 : 1;
                }).or_throw();
  must_end_well(child);
  EXPECT_EQ(jobs.fill().taken, 1U);
  EXPECT_EQ(jobs.fill().being_sent, 1U);
  *loan = numbered<Job>(3);
  jobs.send(std::move(loan)).or_throw();
  EXPECT_TRUE(std::move(taken).acknowledge());
  EXPECT_EQ(jobs.try_receive().or_throw().value.number, 2U);
  EXPECT_EQ(jobs.try_receive().or_throw().value.number, 3U);
}

}  // namespace
