#include <cells/line.hpp>

#include <harness/measure.hpp>
#include <limits/run.hpp>

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace {

using cells::Cell;
using cells::LineKind;
using cells::Pattern;
using cells::Wait;

// A pipe of the test's own, of whose messages one may come otherwise than it was sent.
class TestLine final : public cells::CopyingLine {
 public:
  TestLine(const Cell& cell, std::uint64_t spoilt) : CopyingLine(cell.bytes), spoilt_(spoilt) {
    if (::pipe(ends_.data()) == -1) {
      throw std::runtime_error("pipe");
    }
  }
  ~TestLine() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

 protected:
  void put(tenon::Bytes message) override { ASSERT_EQ(::write(ends_[1], message.data(), message.size()), 64); }
  bool try_put(tenon::Bytes message) override { return ::write(ends_[1], message.data(), message.size()) == 64; }
  void take(tenon::MutableBytes into) override {
    ASSERT_EQ(::read(ends_[0], into.data(), into.size()), 64);
    if (++taken_ == spoilt_) {
      into[40] = static_cast<std::byte>(static_cast<unsigned char>(into[40]) ^ 1U);
    }
  }

 private:
  std::array<int, 2> ends_{};
  std::uint64_t spoilt_;
  std::uint64_t taken_ = 0;
};

LineKind test_line(std::uint64_t spoilt, bool shared_by_senders = true) {
  return {.name = "test",
          .family = "kernel",
          .about = "",
          .most_bytes = 64,
          .shared_by_senders = shared_by_senders,
          .open = [=](const Cell& cell) { return std::make_shared<TestLine>(cell, spoilt); }};
}

tenon::Result<harness::Figure> measured(const LineKind& kind, const Cell& cell) {
  auto subject = cells::mechanism_of(kind).subject(cell).or_throw();
  const harness::Placement placement = harness::in_turn(subject.sides.size());
  return harness::measure(subject, placement, harness::Clock::calibrate(),
                          {.block = std::chrono::milliseconds(1), .blocks = 2, .starts = 1, .max_starts = 1});
}

class EveryPattern : public testing::TestWithParam<Pattern> {
 protected:
  static Cell cell() { return {.pattern = GetParam(), .bytes = 64, .wait = Wait::sleep, .peers = 3}; }
};

TEST_P(EveryPattern, delivers_each_message_and_counts_what_it_did) {
  for (const bool shared : {true, false}) {
    const auto figure = measured(test_line(0, shared), cell());
    ASSERT_TRUE(figure.has_value()) << figure.error().message();
    EXPECT_GT(figure->nanoseconds, 0);
    EXPECT_GT(figure->operations_per_block, 0U);
  }
}

TEST_P(EveryPattern, ends_when_a_message_comes_otherwise_than_it_was_sent) {
  if (cell().pattern == Pattern::first_message) {
    const auto figure = measured(test_line(1), cell());
    ASSERT_TRUE(figure.failed_with(tenon::Errc::aborted));
    return;
  }
  const auto figure = measured(test_line(7), cell());
  ASSERT_TRUE(figure.failed_with(tenon::Errc::aborted)) << "a spoilt message was taken for a good one";
  EXPECT_NE(figure.error().message().find("is not what was written"), std::string::npos) << figure.error().message();
}

INSTANTIATE_TEST_SUITE_P(, EveryPattern,
                         testing::Values(Pattern::round_trip, Pattern::one_way, Pattern::fan_out, Pattern::fan_in,
                                         Pattern::first_message, Pattern::queued, Pattern::backlog),
                         [](const auto& pattern) {
                           std::string name(cells::name_of(pattern.param));
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST(Mechanisms, have_unique_names_and_say_what_they_are) {
  std::vector<std::string> names;
  for (const cells::Mechanism& mechanism : cells::all_mechanisms()) {
    EXPECT_FALSE(mechanism.about.empty()) << mechanism.name;
    names.push_back(mechanism.name);
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Mechanisms, refuse_what_they_cannot_do_by_name) {
  for (const cells::Mechanism& mechanism : cells::all_mechanisms()) {
    const auto subject = mechanism.subject({.pattern = Pattern::one_way, .bytes = 64, .wait = Wait::sleep});
    const bool has_no_stream = mechanism.name == "service" || mechanism.name == "board";
    EXPECT_EQ(subject.failed_with(tenon::Errc::not_supported), has_no_stream) << mechanism.name;
  }
}

}  // namespace
