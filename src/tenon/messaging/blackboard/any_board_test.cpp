#include <tenon/messaging/blackboard/any_board.hpp>

#include <tenon/messaging/blackboard/blackboard.hpp>

#include <kit/unique.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

using namespace tenon;

namespace {

struct Odd {
  static constexpr std::string_view type_name = "Odd";
  std::array<std::uint8_t, 13> bytes;
};
using Key = FixedString<6>;
using Board = Blackboard<Key, std::uint32_t, Odd>;

class AnyBoardTest : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  Board board_ = Board::create(holder_, "b", {.keys = 4}).or_throw();

  ~AnyBoardTest() override { static_cast<void>(Board::remove(unique_.domain(), "b")); }
};

constexpr Odd odd{.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}};

TEST_F(AnyBoardTest, reads_what_was_written_by_type) {
  board_.write("a", std::uint32_t{7}, never).or_throw();
  board_.write("b", odd, never).or_throw();
  const auto any = AnyBoard::open_for_reading(unique_.domain(), "b").or_throw();
  EXPECT_EQ(any.types().values.size(), 2U);
  ASSERT_EQ(any.entries(), 2U);
  const auto entry = any.find(bytes_of_value(Key("b")));
  ASSERT_EQ(entry, 1U);
  EXPECT_EQ(text_of(any.key(1)), text_of(bytes_of_value(Key("b"))));
  EXPECT_EQ(any.type_of(1).or_throw(), 1U);
  const auto read = any.read(1).or_throw();
  EXPECT_EQ(text_of(read.value), text_of(bytes_of_value(odd)));
  EXPECT_EQ(read.number, 1U);
  EXPECT_EQ(read.writer, holder_.token());
  EXPECT_EQ(any.find(bytes_of_value(Key("c"))), std::nullopt);
}

TEST_F(AnyBoardTest, writes_what_is_read_by_type) {
  auto any = AnyBoard::open(holder_, "b").or_throw();
  EXPECT_EQ(any.write(bytes_of_value(Key("b")), 1, bytes_of_value(odd), never).or_throw(), 1U);
  EXPECT_EQ(board_.read<Odd>("b").or_throw().value.bytes, odd.bytes);
  const std::uint32_t seven = 7;
  EXPECT_TRUE(any.write(bytes_of_value(Key("b")), 0, bytes_of_value(seven), never).failed_with(Errc::type_mismatch));
  EXPECT_EQ(any.number_of(0), 1U);
}

TEST_F(AnyBoardTest, tells_changes_by_entry) {
  const auto any = AnyBoard::open_for_reading(unique_.domain(), "b").or_throw();
  auto changes = any.changes(BoardChanges::From::beginning);
  EXPECT_TRUE(changes.next(immediately).failed_with(Errc::timed_out));
  board_.write("a", std::uint32_t{7}, never).or_throw();
  board_.write("b", odd, never).or_throw();
  EXPECT_EQ(changes.next(never).or_throw().entry, 0U);
  EXPECT_EQ(changes.next(never).or_throw().entry, 1U);
}

TEST_F(AnyBoardTest, of_a_type_that_is_not_there_is_corrupt) {
  board_.write("a", std::uint32_t{7}, never).or_throw();
  const auto file = BoardFile::open(unique_.domain(), "b", Access::read_write).or_throw();
  file.entry(0).type = 2;
  const auto any = AnyBoard::open_for_reading(unique_.domain(), "b").or_throw();
  EXPECT_TRUE(any.read(0).failed_with(Errc::corrupt));
}

}  // namespace
