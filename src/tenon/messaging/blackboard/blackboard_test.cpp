#include <tenon/messaging/blackboard/blackboard.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/stop.hpp>

#include <kit/numbers.hpp>
#include <kit/patience.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace other {

struct Quote {
  std::int64_t bid;
  float ask;
};
TENON_FIELDS(Quote, bid, ask);

}  // namespace other

namespace {

struct Quote {
  std::int64_t bid;
  std::int64_t ask;
};
TENON_FIELDS(Quote, bid, ask);

using Symbol = FixedString<12>;
using Prices = Blackboard<Symbol, Quote, std::uint32_t>;

class BlackboardTest : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a blackboard"};

  ~BlackboardTest() override { static_cast<void>(Prices::remove(unique_.domain(), "prices")); }
  Prices prices(const BoardOptions& options = {.keys = 8}) {
    return Prices::open_or_create(holder_, "prices", options).or_throw();
  }
};

TEST_F(BlackboardTest, has_the_latest_value_of_each_key) {
  Prices board = prices();
  board.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  board.write("ACME", Quote{.bid = 3, .ask = 4}, never).or_throw();
  board.write("ZINC", std::uint32_t{7}, never).or_throw();
  const std::int64_t now = monotonic_now();
  const auto acme = board.read<Quote>("ACME").or_throw();
  EXPECT_EQ(acme.value.bid, 3);
  EXPECT_EQ(acme.value.ask, 4);
  EXPECT_EQ(acme.number, 2U);
  EXPECT_EQ(acme.writer, holder_.token());
  EXPECT_GT(acme.time, 0);
  EXPECT_LE(acme.time, now);
  EXPECT_EQ(board.read<std::uint32_t>("ZINC").or_throw().value, 7U);
  EXPECT_THAT(board.keys(), testing::ElementsAre(Symbol("ACME"), Symbol("ZINC")));
}

TEST_F(BlackboardTest, tells_the_value_before_the_newest) {
  Prices board = prices();
  auto zinc = board.entry<std::uint32_t>("ZINC", never).or_throw();
  EXPECT_TRUE(zinc.read().failed_with(Errc::not_found));
  zinc.write(1, never).or_throw();
  EXPECT_TRUE(zinc.read_previous().failed_with(Errc::not_found));
  for (std::uint32_t i = 2; i <= 20; ++i) {
    EXPECT_EQ(zinc.write(i, never).or_throw(), i);
    EXPECT_EQ(zinc.read().or_throw().value, i);
    const auto previous = zinc.read_previous().or_throw();
    EXPECT_EQ(previous.value, i - 1);
    EXPECT_EQ(previous.number, i - 1);
  }
  EXPECT_EQ(zinc.number(), 20U);
}

TEST_F(BlackboardTest, says_what_is_not_there) {
  Prices board = prices();
  EXPECT_TRUE(board.read<Quote>("ACME").failed_with(Errc::not_found));
  EXPECT_TRUE(board.find<Quote>("ACME").failed_with(Errc::not_found));
  board.write("ACME", Quote{}, never).or_throw();
  const auto other = board.read<std::uint32_t>("ACME");
  ASSERT_TRUE(other.failed_with(Errc::type_mismatch));
  EXPECT_THAT(other.error().message(), testing::HasSubstr("u32"));
  EXPECT_TRUE(board.write("ACME", std::uint32_t{1}, never).failed_with(Errc::type_mismatch));
  EXPECT_TRUE(Prices::open(holder_, "none").failed_with(Errc::not_found));
  EXPECT_TRUE(Prices::create(holder_, "prices").failed_with(Errc::already_exists));
  EXPECT_TRUE(Prices::create(holder_, "a/b").failed_with(Errc::invalid_name));
  EXPECT_TRUE(Prices::create(holder_, "few", {.keys = 0}).failed_with(Errc::invalid_argument));
}

TEST_F(BlackboardTest, says_that_there_is_no_room_for_another_key) {
  Prices board = prices({.keys = 2});
  board.write("A", std::uint32_t{1}, never).or_throw();
  board.write("B", std::uint32_t{2}, never).or_throw();
  const auto third = board.write("C", std::uint32_t{3}, never);
  ASSERT_TRUE(third.failed_with(Errc::limit_reached));
  EXPECT_EQ(third.error().limit()->value, 2U);
  board.write("B", std::uint32_t{4}, never).or_throw();
  EXPECT_EQ(board.read<std::uint32_t>("B").or_throw().value, 4U);
}

TEST_F(BlackboardTest, finds_many_keys_again) {
  using Board = Blackboard<std::uint64_t, std::uint64_t>;
  constexpr std::uint64_t keys = 3000;
  auto board = Board::create(holder_, "many", {.keys = keys}).or_throw();
  for (std::uint64_t key = 0; key < keys; ++key) {
    board.write(key * 4096, key, never).or_throw();
  }
  for (std::uint64_t key = 0; key < keys; ++key) {
    ASSERT_EQ(board.read<std::uint64_t>(key * 4096).or_throw().value, key);
  }
  EXPECT_TRUE(board.read<std::uint64_t>(1).failed_with(Errc::not_found));
  EXPECT_EQ(board.keys().size(), keys);
  Board::remove(unique_.domain(), "many").or_throw();
}

TEST_F(BlackboardTest, outlives_its_handles_and_not_its_removal) {
  prices().write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  Prices again = Prices::open(holder_, "prices").or_throw();
  EXPECT_EQ(again.read<Quote>("ACME").or_throw().value.ask, 2);
  Prices::remove(unique_.domain(), "prices").or_throw();
  EXPECT_TRUE(Prices::open(holder_, "prices").failed_with(Errc::not_found));
  EXPECT_TRUE(Prices::remove(unique_.domain(), "prices").failed_with(Errc::not_found));
  EXPECT_EQ(again.read<Quote>("ACME").or_throw().value.ask, 2);
}

TEST_F(BlackboardTest, of_other_types_is_refused_by_the_first_field_that_differs) {
  prices();
  using Others = Blackboard<Symbol, other::Quote, std::uint32_t>;
  const auto others = Others::open(holder_, "prices");
  ASSERT_TRUE(others.failed_with(Errc::type_mismatch));
  EXPECT_THAT(others.error().message(), testing::HasSubstr("ask"));
  EXPECT_TRUE((Blackboard<Symbol, Quote>::open(holder_, "prices").failed_with(Errc::type_mismatch)));
  EXPECT_TRUE(
      (Blackboard<std::uint64_t, Quote, std::uint32_t>::open(holder_, "prices").failed_with(Errc::type_mismatch)));
}

TEST_F(BlackboardTest, open_for_reading_alone_is_not_written) {
  Prices board = prices();
  board.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  Prices reader = Prices::open_for_reading(unique_.domain(), "prices").or_throw();
  EXPECT_EQ(reader.read<Quote>("ACME").or_throw().value.bid, 1);
  EXPECT_TRUE(reader.write("ACME", Quote{}, never).failed_with(Errc::permission_denied));
  EXPECT_TRUE(reader.write("ZINC", Quote{}, never).failed_with(Errc::permission_denied));
  auto acme = reader.find<Quote>("ACME").or_throw();
  EXPECT_TRUE(acme.wait(1, after(1ms)).failed_with(Errc::timed_out));
  std::thread writer([&] { board.write("ACME", Quote{.bid = 2, .ask = 3}, never).or_throw(); });
  EXPECT_EQ(acme.wait(1, never).or_throw().value.bid, 2);
  writer.join();
}

// F35
TEST_F(BlackboardTest, a_forked_child_reads_and_does_not_write) {
  Prices board = prices();
  board.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  Child child = spawn([&] {
                  const bool reads = board.read<Quote>("ACME").or_throw().value.bid == 1;
                  return reads && board.write("ACME", Quote{}, never).failed_with(Errc::in_child) ? 0 : 1;
                }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw().code(), 0);
}

// F35
TEST_F(BlackboardTest, that_is_refused_is_not_made) {
  const auto names = kit::names_in(unique_.path());
  Child child =
      spawn([&] { return Prices::open_or_create(holder_, "mine").failed_with(Errc::in_child) ? 0 : 1; }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw().code(), 0);
  EXPECT_EQ(kit::names_in(unique_.path()), names);
}

TEST_F(BlackboardTest, may_be_moved_beside_its_entries) {
  Prices board = prices();
  auto zinc = board.entry<std::uint32_t>("ZINC", never).or_throw();
  auto watch = board.watch();
  Prices moved = std::move(board);
  zinc.write(7, never).or_throw();
  EXPECT_EQ(moved.read<std::uint32_t>("ZINC").or_throw().value, 7U);
  EXPECT_EQ(watch.next(never).or_throw().key, Symbol("ZINC"));
}

TEST_F(BlackboardTest, memory_needed_is_what_a_board_takes) {
  const BoardOptions options{.keys = 100, .copies = 5};
  const auto needed = Prices::memory_needed(options).or_throw();
  prices(options);
  struct stat status{};
  ASSERT_EQ(::stat((unique_.path() + "/board.prices").c_str(), &status), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), needed);
  const auto too_much = Blackboard<Symbol, kit::Numbers<1'000'000>>::memory_needed({.keys = 1U << 28});
  ASSERT_TRUE(too_much.failed_with(Errc::limit_reached));
  EXPECT_GT(too_much.error().limit()->wanted, too_much.error().limit()->value);
}

TEST_F(BlackboardTest, whose_file_cannot_be_believed_is_refused) {
  prices();
  const std::string path = unique_.path() + "/board.prices";
  const Fd file = fd_from(::open(path.c_str(), O_RDWR | O_CLOEXEC), "open").or_throw();
  BoardHeader header{};
  ASSERT_EQ(::pread(file.raw(), &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
  const auto opened_with = [&](auto change) {
    BoardHeader changed = header;
    change(changed);
    EXPECT_EQ(::pwrite(file.raw(), &changed, sizeof changed, 0), static_cast<ssize_t>(sizeof changed));
    const auto board = Prices::open(holder_, "prices");
    return board ? Errc() : board.error().code();
  };
  EXPECT_EQ(opened_with([](BoardHeader&) {}), Errc());
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.magic[0] = 'X'; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.layout_version = 2; }), Errc::version_mismatch);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.mode = 1; }), Errc::not_supported);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.entries = 1U << 27; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.entries_at = ~std::uint64_t{63}; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.table_places = 3; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.copies = 1U << 20; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.copy_bytes = 64 * 3; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.key_bytes -= 4; }), Errc::corrupt);
  EXPECT_EQ(opened_with([](BoardHeader& h) { h.types_bytes = 8; }), Errc::corrupt);
  ASSERT_EQ(::ftruncate(file.raw(), 100), 0);
  EXPECT_TRUE(Prices::open(holder_, "prices").failed_with(Errc::corrupt));
}

TEST_F(BlackboardTest, wakes_who_waits_for_a_key_and_who_waits_for_any) {
  Prices board = prices();
  board.write("ACME", Quote{.bid = 1, .ask = 2}, never).or_throw();
  board.write("ZINC", std::uint32_t{1}, never).or_throw();
  auto acme = board.find<Quote>("ACME").or_throw();
  EXPECT_TRUE(acme.wait(1, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(acme.wait(0, never).or_throw().number, 1U);
  auto watch = board.watch_from_now_on();
  EXPECT_TRUE(watch.next(after(1ms)).failed_with(Errc::timed_out));
  constexpr std::int64_t rounds = 2000;
  std::thread writer([&] {
    auto mine = Prices::open(holder_, "prices").or_throw();
    for (std::int64_t i = 2; i <= rounds; ++i) {
      mine.write("ACME", Quote{.bid = i, .ask = i}, never).or_throw();
      auto zinc = mine.find<std::uint32_t>("ZINC").or_throw();
      auto seen = zinc.read().or_throw();
      while (seen.value < static_cast<std::uint32_t>(i)) {
        seen = zinc.wait(seen.number, never).or_throw();
      }
    }
  });
  for (std::int64_t i = 2; i <= rounds; ++i) {
    auto change = watch.next(never).or_throw();
    while (change.key != Symbol("ACME")) {
      change = watch.next(never).or_throw();
    }
    EXPECT_EQ(change.number, static_cast<std::uint64_t>(i));
    board.write("ZINC", static_cast<std::uint32_t>(i), never).or_throw();
  }
  writer.join();
}

TEST_F(BlackboardTest, a_watch_tells_each_key_once_and_of_keys_that_come) {
  Prices board = prices();
  for (int i = 0; i < 3; ++i) {
    board.write("ACME", Quote{}, never).or_throw();
    board.write("ZINC", std::uint32_t{1}, never).or_throw();
  }
  auto watch = board.watch();
  auto first = watch.next(never).or_throw();
  auto second = watch.next(never).or_throw();
  EXPECT_EQ(first.key, Symbol("ACME"));
  EXPECT_EQ(first.number, 3U);
  EXPECT_EQ(second.key, Symbol("ZINC"));
  EXPECT_TRUE(watch.next(after(0ms)).failed_with(Errc::timed_out));
  board.entry<Quote>("GOLD", never).or_throw();
  EXPECT_TRUE(watch.next(after(0ms)).failed_with(Errc::timed_out));  // it has no value yet
  board.write("GOLD", Quote{}, never).or_throw();
  EXPECT_EQ(watch.next(never).or_throw().key, Symbol("GOLD"));
}

TEST_F(BlackboardTest, a_wait_is_stopped) {
  Prices board = prices();
  board.write("ACME", Quote{}, never).or_throw();
  Stop stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(board.find<Quote>("ACME").or_throw().wait(1, never.or_stop(stop)).failed_with(Errc::stopped));
}

}  // namespace
