#include <kit/kill_harness.hpp>

#include <kit/kill_recording.hpp>
#include <kit/patience.hpp>
#include <kit/shared.hpp>
#include <kit/state_hash.hpp>
#include <kit/unique.hpp>

#include <cerrno>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using kit::KillCase;
using kit::KillOptions;
using kit::KillReport;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

class KillHarness : public testing::Test {
 protected:
  void SetUp() override {
    if (kit::sanitizer() != kit::Sanitizer::none) {
      GTEST_SKIP() << "a sanitizer's instructions are not those that ship, and there are too many to stop at each";
    }
  }
};

/// Two numbers that must be equal. The careful writer says before and after that it is at work.
struct Pair {
  volatile int at_work = 0;
  volatile int a = 0;
  volatile int b = 0;
};

enum class Writer { careful, careless };
enum class Heir { repairs, looks, sleeps };

class WritePair : public kit::KillTrial {
 public:
  WritePair(Writer writer, Heir heir) : writer_(writer), heir_(heir) {}
  void operation() override {
    if (writer_ == Writer::careful) {
      pair_->at_work = 1;
    }
    pair_->a = 7;
    pair_->b = 7;
    pair_->at_work = 0;
  }
  void survive() override { go_on(*pair_); }
  std::vector<std::string> broken() override {
    return pair_->a == pair_->b ? std::vector<std::string>() : std::vector<std::string>{"a differs from b"};
  }
  std::uint64_t state() override { return kit::hash_of(pair_.bytes()); }
  tenon::MutableBytes segment() override { return pair_.bytes(); }
  void recover(tenon::MutableBytes copy) override { go_on(*reinterpret_cast<Pair*>(copy.data())); }

 private:
  void go_on(Pair& pair) const {
    if (heir_ == Heir::repairs && pair.at_work != 0) {
      pair.b = pair.a;
      pair.at_work = 0;
    }
    if (pair.a != pair.b) {
      if (heir_ == Heir::sleeps) {
        ::pause();
      }
      throw std::runtime_error("torn");
    }
  }

  kit::Shared<Pair> pair_;
  Writer writer_;
  Heir heir_;
};

KillCase pair_case(Writer writer, Heir heir) {
  return {.name = "pair", .make = [=] { return std::make_unique<WritePair>(writer, heir); }};
}

TEST_F(KillHarness, passes_an_operation_that_can_be_repaired) {
  const KillReport report = kit::kill_everywhere(pair_case(Writer::careful, Heir::repairs));
  EXPECT_TRUE(report.as_expected());
  EXPECT_EQ(report.states, 5U);  // nothing, at work, a, b, done
  EXPECT_EQ(report.tried, report.instructions + 1);
  EXPECT_EQ(report.killed, report.tried);
  EXPECT_EQ(report.ended_early, 0U);
}

TEST_F(KillHarness, finds_the_invariant_that_a_kill_breaks) {
  const KillReport report = kit::kill_everywhere(pair_case(Writer::careless, Heir::repairs));
  EXPECT_FALSE(report.clean());
  EXPECT_GT(report.broken, 0U);
  EXPECT_THAT(report.stories, Each(HasSubstr("torn")));
}

TEST_F(KillHarness, finds_the_survivor_that_hangs) {
  const KillReport report = kit::kill_everywhere(pair_case(Writer::careless, Heir::sleeps));
  EXPECT_GT(report.hangs, 0U);
  EXPECT_THAT(report.stories, Each(HasSubstr("hangs")));
}

TEST_F(KillHarness, proves_nothing_when_its_kills_are_disabled) {
  const KillReport report = kit::kill_everywhere(pair_case(Writer::careless, Heir::looks), KillOptions{.kills = false});
  EXPECT_EQ(report.killed, 0U);
  EXPECT_TRUE(report.clean());  // the broken operation looks well
  EXPECT_FALSE(report.as_expected());
}

TEST_F(KillHarness, keeps_each_change_when_it_strides) {
  const KillReport report =
      kit::kill_everywhere(pair_case(Writer::careless, Heir::repairs), KillOptions{.stride = 1000});
  EXPECT_LT(report.points, report.instructions);
  EXPECT_GT(report.broken, 0U);
}

TEST_F(KillHarness, says_what_it_left_out_when_its_time_is_over) {
  const KillReport report =
      kit::kill_everywhere(pair_case(Writer::careful, Heir::repairs), KillOptions{.seconds = 1e-9});
  EXPECT_LT(report.tried, report.points);
  EXPECT_FALSE(report.as_expected());
}

TEST_F(KillHarness, recovers_from_a_copy_after_each_change) {
  EXPECT_TRUE(kit::recover_copies(pair_case(Writer::careful, Heir::repairs)).as_expected());
  EXPECT_EQ(kit::recover_copies(pair_case(Writer::careful, Heir::repairs)).tried, 5U);
  EXPECT_EQ(kit::recover_copies(pair_case(Writer::careless, Heir::repairs)).broken, 1U);
}

/// A counter that is read, then written: two at once lose one.
class AddOne : public kit::KillTrial {
 public:
  explicit AddOne(bool atomically) : atomically_(atomically) {}
  void operation() override {
    if (atomically_) {
      __atomic_fetch_add(&*count_, 1, __ATOMIC_SEQ_CST);
    } else {
      *count_ = *count_ + 1;
    }
  }
  void survive() override {}
  std::vector<std::string> broken() override {
    return *count_ == 2 ? std::vector<std::string>() : std::vector<std::string>{"an addition was lost"};
  }
  std::uint64_t state() override { return kit::hash_of(count_.bytes()); }

 private:
  kit::Shared<volatile int> count_;
  bool atomically_;
};

KillCase add_case(bool atomically) {
  return {.name = "add", .make = [=] { return std::make_unique<AddOne>(atomically); }};
}

TEST_F(KillHarness, runs_a_rival_at_each_point) {
  EXPECT_TRUE(kit::preempt_everywhere(add_case(true)).as_expected());
  EXPECT_GT(kit::preempt_everywhere(add_case(false)).broken, 0U);
}

TEST_F(KillHarness, stops_the_rival_too) {
  const KillOptions some{.samples = 60};
  EXPECT_TRUE(kit::preempt_pairs(add_case(true), some).as_expected());
  EXPECT_GT(kit::preempt_pairs(add_case(false), some).broken, 0U);
}

/// Recovery takes two steps, and the first makes the second invisible: who is killed between them is not followed up.
class FragileRecovery : public kit::KillTrial {
 public:
  explicit FragileRecovery(bool fragile) : fragile_(fragile) {}
  void operation() override {
    pair_->at_work = 1;
    pair_->a = 7;
    pair_->b = 7;
    pair_->at_work = 0;
  }
  void survive() override {
    if (pair_->at_work != 0) {
      if (fragile_) {
        pair_->at_work = 0;
      }
      pair_->b = pair_->a;
      pair_->at_work = 0;
    }
    if (pair_->a != pair_->b) {
      throw std::runtime_error("torn");
    }
  }
  std::uint64_t state() override { return kit::hash_of(pair_.bytes()); }

 private:
  kit::Shared<Pair> pair_;
  bool fragile_;
};

KillCase recovery_case(bool fragile) {
  return {.name = "recovery", .make = [=] { return std::make_unique<FragileRecovery>(fragile); }};
}

TEST_F(KillHarness, kills_the_survivor_as_well) {
  const KillOptions many{.samples = 400};
  EXPECT_TRUE(kit::kill_everywhere(recovery_case(true)).as_expected());  // one death alone does not show it
  EXPECT_GT(kit::kill_during_recovery(recovery_case(true), many).broken, 0U);
  EXPECT_TRUE(kit::kill_during_recovery(recovery_case(false), many).as_expected());
}

/// Counts in two places, under a lock that survives its owner or under none.
class CountTwice : public kit::KillTrial {
 public:
  explicit CountTwice(bool locked) : locked_(locked) {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&counts_->mutex, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
  }
  void operation() override {
    lock();
    counts_->a = counts_->a + 1;
    counts_->b = counts_->b + 1;
    unlock();
  }
  void survive() override {
    lock();
    unlock();
  }
  std::vector<std::string> broken() override {
    return counts_->a == counts_->b ? std::vector<std::string>() : std::vector<std::string>{"a differs from b"};
  }
  std::uint64_t state() override { return kit::hash_of(counts_.bytes()); }

 private:
  struct Counts {
    pthread_mutex_t mutex;
    volatile int a = 0;
    volatile int b = 0;
  };

  void lock() {
    if (locked_ && ::pthread_mutex_lock(&counts_->mutex) == EOWNERDEAD) {
      counts_->b = counts_->a;
      ::pthread_mutex_consistent(&counts_->mutex);
    }
  }
  void unlock() {
    if (locked_) {
      ::pthread_mutex_unlock(&counts_->mutex);
    }
  }

  kit::Shared<Counts> counts_;
  bool locked_;
};

TEST_F(KillHarness, soaks_an_operation_in_random_kills) {
  auto count = [](bool locked) {
    return KillCase{.name = "count", .make = [=] { return std::make_unique<CountTwice>(locked); }};
  };
  const KillOptions some{.samples = 600, .processes = 4};
  const KillReport locked = kit::soak(count(true), some);
  EXPECT_TRUE(locked.as_expected()) << testing::PrintToString(locked.stories);
  EXPECT_GE(locked.killed, some.samples);
  EXPECT_GT(kit::soak(count(false), some).broken, 0U);
}

/// Makes a file whole, or in place.
class MakeFile : public kit::KillTrial {
 public:
  explicit MakeFile(bool tidy) : tidy_(tidy) { directory_.allow_leftovers(); }
  void operation() override {
    const int file = ::open(temporary_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    (void)!::write(file, "done", 4);
    ::close(file);
    ::rename(temporary_.c_str(), final_.c_str());
  }
  void survive() override {
    if (tidy_) {
      ::unlink(temporary_.c_str());
    }
  }
  std::vector<std::string> leaked() override {
    auto names = kit::names_in(directory_.path());
    std::erase(names, "final");
    return names;
  }
  std::uint64_t state() override { return kit::hash_of_tree(directory_.path()); }
  bool changes_without_calls() const override { return false; }

 private:
  kit::UniqueDirectory directory_;
  std::string temporary_ = directory_ / "temporary";
  std::string final_ = directory_ / "final";
  bool tidy_;
};

KillCase file_case(bool tidy) {
  return {.name = "file", .make = [=] { return std::make_unique<MakeFile>(tidy); }};
}

TEST_F(KillHarness, counts_what_is_left_behind) {
  const KillOptions quick{.stride = 1000};
  const KillReport tidy = kit::kill_everywhere(file_case(true), quick);
  EXPECT_TRUE(tidy.as_expected()) << kit::json_line(tidy);
  EXPECT_EQ(tidy.states, 4U);  // nothing, empty, written, renamed
  const KillReport untidy = kit::kill_everywhere(file_case(false), quick);
  EXPECT_GT(untidy.leaks, 0U);
  EXPECT_THAT(untidy.stories, Each(HasSubstr("left behind: temporary")));
}

TEST(KillRecording, has_points_on_both_sides_of_each_system_call) {
  kit::Recording recording;
  const kit::Recording::Instruction plain{.pointer = 1, .calls = false, .changed = false};
  const kit::Recording::Instruction call{.pointer = 2, .calls = true, .changed = false};
  const kit::Recording::Instruction change{.pointer = 3, .calls = false, .changed = true};
  recording.instructions = {plain, plain, call, plain, plain, plain, change, plain, plain};
  EXPECT_EQ(recording.points(0, 1), (std::vector<std::size_t>{0, 2, 3, 7, 9}));
  EXPECT_EQ(recording.points(2000, 1).size(), 10U);
}

/// A control that is safe, and an operation that is not, are both not as expected.
TEST(KillReport, expects_controls_to_fail) {
  KillReport report{.operation = "x", .mode = "kill", .control = true, .tried = 1, .struck = 1, .killed = 1};
  EXPECT_FALSE(report.as_expected());
  report.hangs = 1;
  EXPECT_TRUE(report.as_expected());
  report.control = false;
  EXPECT_FALSE(report.as_expected());
}

TEST(StateHash, tells_trees_apart) {
  kit::UniqueDirectory directory;
  directory.allow_leftovers();
  const auto empty = kit::hash_of_tree(directory.path());
  ::close(::open((directory / "a").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const auto with_file = kit::hash_of_tree(directory.path());
  ::chmod((directory / "a").c_str(), 0644);
  const auto other_mode = kit::hash_of_tree(directory.path());
  ::truncate((directory / "a").c_str(), 1);
  const auto longer = kit::hash_of_tree(directory.path());
  EXPECT_EQ(longer, kit::hash_of_tree(directory.path()));
  EXPECT_THAT((std::vector{empty, with_file, other_mode}), Not(testing::Contains(longer)));
  EXPECT_NE(empty, with_file);
  EXPECT_NE(with_file, other_mode);
}

}  // namespace
