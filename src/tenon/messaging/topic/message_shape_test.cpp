// Messages within an entry, of any length, also of no whole words.
#include <tenon/messaging/topic/message_shape.hpp>

#include <tenon/memory/type_fields.hpp>

#include <gtest/gtest.h>
#include <numeric>

using namespace tenon;

namespace {

template <std::size_t N>
struct Blob {
  std::array<std::uint8_t, N> bytes;
};
TENON_FIELDS(Blob<1>, bytes);
TENON_FIELDS(Blob<7>, bytes);
TENON_FIELDS(Blob<8>, bytes);
TENON_FIELDS(Blob<9>, bytes);
TENON_FIELDS(Blob<15>, bytes);
TENON_FIELDS(Blob<16>, bytes);
TENON_FIELDS(Blob<17>, bytes);
TENON_FIELDS(Blob<40>, bytes);
TENON_FIELDS(Blob<41>, bytes);
TENON_FIELDS(Blob<103>, bytes);
TENON_FIELDS(Blob<104>, bytes);

template <class T>
struct Guarded {
  T message;
  std::array<std::uint8_t, 16> behind;
};

bool all_are(std::span<const std::uint8_t> bytes, std::uint8_t value) {
  return std::ranges::all_of(bytes, [value](std::uint8_t byte) { return byte == value; });
}

template <class T>
class MessageWords : public testing::Test {};
using Lengths = testing::Types<Blob<1>, Blob<7>, Blob<8>, Blob<9>, Blob<15>, Blob<16>, Blob<17>, Blob<40>, Blob<41>,
                               Blob<103>, Blob<104>>;
TYPED_TEST_SUITE(MessageWords, Lengths);

TYPED_TEST(MessageWords, hold_the_message_and_nothing_beside_it) {
  Guarded<TypeParam> sent;
  std::iota(sent.message.bytes.begin(), sent.message.bytes.end(), std::uint8_t{1});
  sent.behind.fill(0xaa);
  const auto words = MessageShape<TypeParam>::words_of(sent.message);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(words.data());
  EXPECT_TRUE(all_are(std::span(bytes, sizeof words).subspan(sizeof(TypeParam)), 0)) << "what stands behind goes along";

  Guarded<TypeParam> received;
  received.behind.fill(0x55);
  MessageShape<TypeParam>::take_words(received.message, words);
  EXPECT_EQ(received.message.bytes, sent.message.bytes);
  EXPECT_TRUE(all_are(received.behind, 0x55)) << "it is written beyond its end";
}

}  // namespace
