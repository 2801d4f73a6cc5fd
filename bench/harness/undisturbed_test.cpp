#include <harness/distance.hpp>
#include <harness/undisturbed.hpp>

#include <gtest/gtest.h>

namespace {

using tenon::Errc;
using tenon::Result;

// Gives the next of the probes that a test injects.
class Probes {
 public:
  explicit Probes(std::vector<double> figures) : figures_(std::move(figures)) {}
  Result<double> operator()() { return figures_.at(next_++); }

 private:
  std::vector<double> figures_;
  std::size_t next_ = 0;
};

struct Cell {
  int done = 0;
  Result<void> operator()() {
    ++done;
    return {};
  }
};

TEST(Undisturbed, a_cell_between_equal_probes_is_done_once) {
  Cell cell;
  const auto attempts = harness::undisturbed(Probes({110, 112}), std::ref(cell)).or_throw();
  EXPECT_EQ(cell.done, 1);
  EXPECT_EQ(attempts.made, 1);
  EXPECT_FALSE(attempts.disturbed);
  EXPECT_EQ(attempts.before, 110);
  EXPECT_EQ(attempts.after, 112);
}

TEST(Undisturbed, a_cell_during_which_the_cores_moved_apart_is_done_again) {
  Cell cell;
  const auto attempts = harness::undisturbed(Probes({110, 480, 480, 470}), std::ref(cell)).or_throw();
  EXPECT_EQ(cell.done, 2);
  EXPECT_EQ(attempts.made, 2);
  EXPECT_FALSE(attempts.disturbed);
  EXPECT_EQ(attempts.before, 480) << "the probes are those around the attempt that counts";
}

TEST(Undisturbed, cores_that_come_nearer_disturb_as_well) {
  Cell cell;
  const auto attempts = harness::undisturbed(Probes({480, 110, 110, 110}), std::ref(cell)).or_throw();
  EXPECT_EQ(attempts.made, 2);
}

TEST(Undisturbed, after_the_last_attempt_it_says_that_it_was_disturbed) {
  Cell cell;
  const auto attempts =
      harness::undisturbed(Probes({110, 480, 110, 480, 110, 480}), std::ref(cell), {.max_attempts = 3}).or_throw();
  EXPECT_EQ(cell.done, 3);
  EXPECT_EQ(attempts.made, 3);
  EXPECT_TRUE(attempts.disturbed);
}

TEST(Undisturbed, a_probe_that_moved_within_the_tolerance_is_no_disturbance) {
  EXPECT_FALSE(harness::moved(100, 124, {.tolerance = 0.25}));
  EXPECT_TRUE(harness::moved(100, 126, {.tolerance = 0.25}));
  EXPECT_TRUE(harness::moved(126, 100, {.tolerance = 0.25}));
}

TEST(Undisturbed, from_near_to_far_is_a_disturbance_however_small_the_step) {
  EXPECT_FALSE(harness::moved(245, 249, {}));
  EXPECT_TRUE(harness::moved(245, 255, {}));
}

TEST(Undisturbed, without_a_second_core_nothing_is_probed_and_nothing_is_disturbed) {
  Cell cell;
  const auto attempts = harness::undisturbed(Probes({0, 0}), std::ref(cell)).or_throw();
  EXPECT_FALSE(attempts.disturbed);
  EXPECT_EQ(harness::distance_of(attempts.after), harness::Distance::none);
}

TEST(Undisturbed, the_error_of_a_cell_ends_it_at_once) {
  const auto attempts =
      harness::undisturbed(Probes({110, 110}), [] { return Result<void>(tenon::fail(Errc::peer_died)); });
  EXPECT_TRUE(attempts.failed_with(Errc::peer_died));
}

TEST(Undisturbed, the_error_of_a_probe_ends_it_before_the_cell) {
  Cell cell;
  const auto attempts =
      harness::undisturbed([] { return Result<double>(tenon::fail(Errc::timed_out)); }, std::ref(cell));
  EXPECT_TRUE(attempts.failed_with(Errc::timed_out));
  EXPECT_EQ(cell.done, 0);
}

TEST(Distance, tells_near_from_far_by_what_a_bounced_line_takes) {
  EXPECT_EQ(harness::distance_of(67), harness::Distance::sibling);
  EXPECT_EQ(harness::distance_of(110), harness::Distance::near);
  EXPECT_EQ(harness::distance_of(480), harness::Distance::far);
  EXPECT_EQ(harness::name_of(harness::distance_of(110)), "near");
}

}  // namespace
