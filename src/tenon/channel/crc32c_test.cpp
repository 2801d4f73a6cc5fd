#include <tenon/channel/crc32c.hpp>

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace tenon {
namespace {

TEST(Crc32c, agrees_with_the_published_check_value) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc::by_table(bytes_of("123456789"), 0), 0xe3069283U);
}

TEST(Crc32c, of_the_test_patterns_of_rfc_3720_is_as_printed_there) {
  const std::array<std::byte, 32> zeros{};
  std::array<std::byte, 32> ones;
  ones.fill(std::byte{0xff});
  EXPECT_EQ(crc32c(zeros), 0x8a9136aaU);
  EXPECT_EQ(crc32c(ones), 0x62a8ab43U);
}

TEST(Crc32c, by_instruction_and_by_table_agree_at_every_length_and_alignment) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(300);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random());
  }
  for (std::size_t start = 0; start < 8; ++start) {
    for (std::size_t length = 0; start + length <= bytes.size(); ++length) {
      const Bytes piece = Bytes(bytes).subspan(start, length);
      ASSERT_EQ(crc32c(piece), crc::by_table(piece, 0)) << start << " " << length;
    }
  }
}

TEST(Crc32c, goes_on_from_what_came_before) {
  EXPECT_EQ(crc32c(bytes_of("56789"), crc32c(bytes_of("1234"))), crc32c(bytes_of("123456789")));
}

}  // namespace
}  // namespace tenon
