// When a run of the kill harness may be believed: what it tried was at its place, was not the beginning alone, and was
// done at all.
#include <kit/kill_harness.hpp>

#include <kit/patience.hpp>
#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/traced_process.hpp>

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

using kit::KillCase;
using kit::KillOptions;
using kit::KillReport;
using kit::TracedProcess;
using testing::HasSubstr;
using testing::Not;

class KillTrust : public testing::Test {
 protected:
  void SetUp() override {
    if (kit::sanitizer() != kit::Sanitizer::none) {
      GTEST_SKIP() << "a sanitizer's instructions are not those that ship, and there are too many to stop at each";
    }
  }
};

/// One store after the other, without a loop, so that no instruction comes twice. After a detour all come later.
class Stores : public kit::KillTrial {
 public:
  explicit Stores(bool detour = false) : detour_(detour) {}
  void operation() override {
    volatile int& value = *value_;
    if (detour_) {
      value = -1;
      value = -2;
    }
    value = 1;
    value = 2;
    value = 3;
    value = 4;
    value = 5;
    value = 6;
    value = 7;
    value = 8;
    value = 9;
    value = 10;
  }
  void survive() override {}
  std::uint64_t state() override { return kit::hash_of(value_.bytes()); }
  tenon::MutableBytes segment() override { return value_.bytes(); }

 protected:
  kit::Shared<volatile int> value_;

 private:
  bool detour_;
};

/// `detours` tells for each world, counted from that of the recording, whether it takes the other path.
KillCase stores(bool (*detours)(int world)) {
  return {.name = "stores",
          .make = [detours, world = 0]() mutable { return std::make_unique<Stores>(detours(world++)); }};
}

TEST_F(KillTrust, who_has_left_the_recorded_path_is_tried_again) {
  const KillReport report = kit::kill_everywhere(stores([](int world) { return world % 2 == 1; }));
  EXPECT_TRUE(report.as_expected());
  EXPECT_EQ(report.ended_early, 0U);
  EXPECT_EQ(report.killed, report.tried);
  EXPECT_EQ(report.struck, report.tried);
}

TEST_F(KillTrust, kills_at_other_places_do_not_count) {
  const KillCase other_path = stores([](int world) { return world > 0; });
  const KillReport report = kit::kill_everywhere(other_path);
  EXPECT_TRUE(report.clean());
  EXPECT_FALSE(report.as_expected());
  EXPECT_FALSE(report.in_place());
  EXPECT_EQ(report.killed, report.tried - report.ended_early);
  EXPECT_THAT(kit::json_line(report), HasSubstr("OUT OF PLACE"));
}

TEST_F(KillTrust, a_rival_of_who_is_at_another_place_does_not_count) {
  const KillReport report = kit::preempt_everywhere(stores([](int world) { return world > 0; }));
  EXPECT_FALSE(report.as_expected());
  EXPECT_EQ(report.struck, report.tried - report.ended_early);
}

/// Each trial is a finding, whose story tells the place.
class BrokenStores : public Stores {
 public:
  std::vector<std::string> broken() override { return {"always"}; }
};

std::set<std::string> places_drawn(std::uint64_t seed) {
  const KillCase broken{.name = "broken", .make = [] { return std::make_unique<BrokenStores>(); }};
  const KillReport report = kit::kill_everywhere(broken, KillOptions{.most_points = 4, .seed = seed});
  EXPECT_EQ(report.tried, 4U);
  EXPECT_GT(report.points, report.tried);
  return {report.stories.begin(), report.stories.end()};
}

TEST_F(KillTrust, what_is_tried_first_is_drawn_from_the_whole_operation) {
  EXPECT_EQ(places_drawn(1), places_drawn(1));
  std::set<std::string> all;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    all.merge(places_drawn(seed));
  }
  // The first four instructions are those that a run would see which goes from the beginning and is cut short.
  EXPECT_GT(all.size(), 8U);
}

/// Slow to record: the first look at its state takes a second.
class SlowToRecord : public Stores {
 public:
  std::uint64_t state() override {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(first_ ? 1 : 0);
    while (std::chrono::steady_clock::now() < until) {
    }
    first_ = false;
    return Stores::state();
  }

 private:
  bool first_ = true;
};

TEST_F(KillTrust, the_time_to_record_is_not_that_of_the_trials) {
  const KillCase slow{.name = "slow", .make = [] { return std::make_unique<SlowToRecord>(); }};
  EXPECT_GT(kit::kill_everywhere(slow, KillOptions{.seconds = 1}).tried, 0U);
  EXPECT_GT(kit::kill_during_recovery(slow, KillOptions{.samples = 4, .seconds = 1}).tried, 0U);
}

/// Says when it is recorded: nobody else asks for its state.
class Counted : public Stores {
 public:
  explicit Counted(int& recordings) : recordings_(recordings) {}
  ~Counted() override { recordings_ += asked_; }
  std::uint64_t state() override {
    asked_ = true;
    return Stores::state();
  }

 private:
  int& recordings_;
  bool asked_ = false;
};

TEST_F(KillTrust, several_ways_share_one_recording) {
  int recordings = 0;
  const KillCase counted{.name = "counted", .make = [&] { return std::make_unique<Counted>(recordings); }};
  const kit::Recording recording = kit::record_operation(counted);
  const KillOptions shared{.samples = 5, .recording = &recording};
  EXPECT_TRUE(kit::kill_everywhere(counted, shared).as_expected());
  EXPECT_TRUE(kit::preempt_everywhere(counted, shared).as_expected());
  EXPECT_TRUE(kit::preempt_pairs(counted, shared).as_expected());
  EXPECT_EQ(recordings, 1);
  EXPECT_TRUE(kit::kill_during_recovery(counted, shared).as_expected());
  EXPECT_EQ(recordings, 2);  // the survivor's, for all five pairs
}

TEST_F(KillTrust, each_way_says_so_when_its_kills_are_disabled) {
  const KillCase plain = stores([](int) { return false; });
  const KillOptions peaceful{.samples = 20, .processes = 2, .kills = false};
  for (auto* way : {kit::kill_everywhere, kit::preempt_everywhere, kit::preempt_pairs, kit::recover_copies,
                    kit::kill_during_recovery, kit::soak}) {
    const KillReport report = way(plain, peaceful);
    EXPECT_TRUE(report.clean()) << report.mode;
    EXPECT_FALSE(report.as_expected()) << report.mode;
    EXPECT_EQ(report.killed, 0U) << report.mode;
    EXPECT_THAT(kit::json_line(report), HasSubstr("NOTHING TRIED"));
  }
}

TEST(KillTrustReport, less_than_a_quarter_of_what_was_wanted_is_no_proof) {
  KillReport report{.operation = "x", .mode = "kill", .points = 100, .wanted = 100, .tried = 24, .struck = 24};
  EXPECT_FALSE(report.as_expected());
  EXPECT_THAT(kit::json_line(report), HasSubstr("TOO FEW TRIED"));
  report.tried = report.struck = 25;
  EXPECT_TRUE(report.as_expected());
  EXPECT_THAT(kit::json_line(report), Not(HasSubstr("TOO FEW TRIED")));
}

TEST(KillTrustReport, more_than_a_tenth_out_of_place_is_no_proof) {
  KillReport report{
      .operation = "x", .mode = "kill", .points = 20, .wanted = 20, .tried = 20, .struck = 17, .ended_early = 3};
  EXPECT_FALSE(report.as_expected());
  EXPECT_THAT(kit::json_line(report), HasSubstr("OUT OF PLACE"));
  report.ended_early = 2;
  EXPECT_TRUE(report.as_expected());
}

TEST_F(KillTrust, who_keeps_the_processor_busy_is_not_asleep) {
  // Much longer than a nap, and never asleep.
  std::vector<char> much(std::size_t{16} << 20);
  TracedProcess process([&] { std::ranges::fill(much, 'x'); },
                        [&] { (void)::syscall(SYS_getrandom, much.data(), much.size(), 0); });
  EXPECT_EQ(process.run_past_system_call(), TracedProcess::State::stopped);
}

TEST_F(KillTrust, who_sleeps_is_asleep) {
  TracedProcess process([] {}, [] { ::pause(); });
  EXPECT_EQ(process.run_past_system_call(), TracedProcess::State::asleep);
}

}  // namespace
