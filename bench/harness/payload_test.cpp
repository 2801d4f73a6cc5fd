#include <harness/payload.hpp>

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

namespace {

class Payload : public testing::TestWithParam<std::size_t> {
 protected:
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(GetParam());
  tenon::MutableBytes bytes() { return std::as_writable_bytes(std::span(words_)); }
};

TEST_P(Payload, is_accepted_as_it_was_written) {
  harness::write_payload(bytes(), 41);
  for (std::size_t i = 0; i < words_.size(); ++i) {
    ASSERT_EQ(words_[i], 41 + i);
  }
  EXPECT_NO_THROW(harness::check_payload(bytes(), 41));
}

TEST_P(Payload, of_another_message_is_told) {
  harness::write_payload(bytes(), 41);
  EXPECT_THROW(harness::check_payload(bytes(), 42), std::runtime_error);
}

TEST_P(Payload, with_any_one_word_changed_is_told) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    harness::write_payload(bytes(), 41);
    words_[i] ^= 1;
    ASSERT_THROW(harness::check_payload(bytes(), 41), std::runtime_error) << "word " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Payload, testing::Values(1, 3, 7, 16, 17, 128, 1024));

TEST(PayloadWords, of_a_known_number_are_checked_alike) {
  std::uint64_t words[7];
  harness::write_words<7>(words, 5);
  EXPECT_NO_THROW(harness::check_words<7>(words, 5));
  words[6] = 0;
  EXPECT_THROW(harness::check_words<7>(words, 5), std::runtime_error);
}

}  // namespace
