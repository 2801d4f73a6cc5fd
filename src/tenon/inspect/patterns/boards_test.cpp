// Blackboards as their files tell of them, written here byte by byte: what a program makes of them itself is looked at
// by the tests of `tenon ls boards`.
#include <tenon/base/bytes.hpp>
#include <tenon/inspect/patterns/boards.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/blackboard/board_layout.hpp>

#include <kit/unique.hpp>

#include <array>
#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t types_bytes = 2 * sizeof(TypeRecord);
constexpr std::uint64_t table_at = (board_types_at + types_bytes + 63) / 64 * 64;
constexpr std::uint64_t entries_at = table_at + 64;
constexpr std::uint64_t copies_at = board_key_at + 64;
constexpr std::uint64_t entry_bytes = copies_at + 4 * 64;
constexpr std::uint64_t file_bytes = entries_at + entry_bytes;

constexpr BoardHeader whole() {
  return {.magic = board_magic,
          .layout_version = board_layout_version,
          .mode = 0,
          .file_bytes = file_bytes,
          .made_by = 1,
          .types_at = board_types_at,
          .types_bytes = types_bytes,
          .table_at = table_at,
          .table_places = 2,
          .types = 1,
          .entries_at = entries_at,
          .entry_bytes = entry_bytes,
          .entries = 1,
          .copies = 4,
          .key_bytes = 8,
          .copies_at = copies_at,
          .copy_bytes = 64,
          .value_bytes = 8,
          .reserved = {}};
}

/// A board with that header, of one key that nobody has added yet.
class InspectBoards : public testing::Test {
 protected:
  InspectBoards() { unique_.directory().allow_leftovers(); }

  inspect::Boards look(const BoardHeader& header) {
    std::vector<std::byte> bytes(file_bytes);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::ofstream(unique_.path() + "/board.prices", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return inspect::boards(unique_.path()).or_throw();
  }

  kit::UniqueDomain unique_;
};

TEST_F(InspectBoards, tell_what_the_header_says) {
  const auto seen = look(whole());
  ASSERT_THAT(seen.boards, SizeIs(1));
  EXPECT_EQ(seen.boards[0].name, "prices");
  EXPECT_EQ(seen.boards[0].keys, 0U);
  EXPECT_EQ(seen.boards[0].most_keys, 1U);
  EXPECT_THAT(seen.boards[0].types, SizeIs(1));
  EXPECT_THAT(seen.unseen, IsEmpty());
}

// What stands behind the header of another mode is none of ours, though it may look so.
TEST_F(InspectBoards, refuse_a_mode_that_they_do_not_know) {
  BoardHeader header = whole();
  header.mode = 1;
  const auto seen = look(header);
  EXPECT_THAT(seen.boards, IsEmpty());
  EXPECT_THAT(seen.unseen, ElementsAre(HasSubstr("mode 1")));
}

}  // namespace
