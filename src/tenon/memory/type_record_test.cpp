#include <tenon/memory/type_record.hpp>

#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/fixed_vector.hpp>
#include <tenon/memory/type_fields.hpp>

#include <array>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tenon;

namespace acme {

struct Pose {
  double x;
  double y;
  float heading;
};
TENON_FIELDS(Pose, x, y, heading);

struct Track {
  Pose poses[3];
  std::array<std::uint16_t, 4> marks;
  FixedString<12> name;
  FixedVector<float, 2> speeds;
};
TENON_FIELDS(Track, poses, marks, name, speeds);

struct Named {
  static constexpr std::string_view type_name = "acme.Named";
  int value;
};
TENON_FIELDS(Named, value);

}  // namespace acme

// The same type as another program has it.
namespace other {

struct Pose {
  double x;
  double y;
  std::int32_t heading;
};
TENON_FIELDS(Pose, x, y, heading);

struct Track {
  Pose poses[3];
  std::array<std::uint16_t, 4> marks;
  FixedString<12> name;
  FixedVector<float, 2> speeds;
};
TENON_FIELDS(Track, poses, marks, name, speeds);

}  // namespace other

namespace {

using testing::HasSubstr;

template <class T>
std::vector<std::byte> written() {
  std::vector<std::byte> bytes(bytes_of_type_record(fields_of<T>().size()));
  write_type(bytes, type_of<T>(), fields_of<T>());
  return bytes;
}

template <class T>
Result<void> check_against(Bytes bytes) {
  return read_type(bytes).and_then(
      [](const StoredType& stored) { return check_type(stored, type_of<T>(), fields_of<T>()); });
}

TEST(TypeFields, say_name_kind_place_size_and_count) {
  const auto fields = fields_of<acme::Track>();
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name, "poses");
  EXPECT_EQ(fields[0].kind, "Pose");
  EXPECT_EQ(fields[0].count, 3U);
  EXPECT_EQ(fields[0].size, sizeof(acme::Pose));
  EXPECT_EQ(fields[1].kind, "u16");
  EXPECT_EQ(fields[1].offset, offsetof(acme::Track, marks));
  EXPECT_EQ(fields[1].count, 4U);
  EXPECT_EQ(fields[2].kind, "FixedString<12>");
  EXPECT_EQ(fields[3].kind, "FixedVector<f32,2>");
}

TEST(TypeFields, name_the_type_unless_it_names_itself) {
  EXPECT_EQ(type_of<acme::Pose>().name, "Pose");
  EXPECT_EQ(type_of<acme::Named>().name, "acme.Named");
  EXPECT_TRUE(fields_of<double>().empty());
}

// F30
TEST(TypeFields, that_differ_make_two_types) {
  EXPECT_NE(type_of<acme::Pose>().hash, type_of<other::Pose>().hash);
  EXPECT_NE(type_of<acme::Track>().hash, type_of<other::Track>().hash) << "their poses differ inside";
  EXPECT_NE(type_of<acme::Pose>().hash, describe("Pose", sizeof(acme::Pose), alignof(acme::Pose)).hash);
}

TEST(TypeRecord, is_read_as_it_was_written) {
  EXPECT_TRUE(check_against<acme::Pose>(written<acme::Pose>()));
  EXPECT_TRUE(check_against<acme::Track>(written<acme::Track>()));
  EXPECT_TRUE(check_against<double>(written<double>()));
}

// F30
TEST(TypeRecord, names_the_first_field_that_differs) {
  const auto checked = check_against<other::Pose>(written<acme::Pose>());
  ASSERT_TRUE(checked.failed_with(Errc::type_mismatch));
  EXPECT_THAT(checked.error().message(),
              HasSubstr("field 3 is heading (f32 at byte 16) there and heading (i32 at byte 16) here"));
}

// F30
TEST(TypeRecord, names_a_field_that_differs_inside_or_is_missing) {
  EXPECT_THAT(check_against<other::Track>(written<acme::Track>()).error().message(),
              HasSubstr("field 1 is poses (Pose[3] at byte 0) there and differs inside"));
  std::vector<std::byte> two(bytes_of_type_record(2));
  const auto fields = fields_of<acme::Pose>().first(2);
  write_type(two, describe("Pose", 24, 8, fields), fields);
  EXPECT_THAT(check_against<acme::Pose>(two).error().message(), HasSubstr("field 3 is missing there and heading"));
}

TEST(TypeRecord, of_another_type_names_both) {
  const auto checked = check_against<acme::Named>(written<acme::Pose>());
  ASSERT_TRUE(checked.failed_with(Errc::type_mismatch));
  EXPECT_THAT(checked.error().message(), HasSubstr("it holds Pose (24 bytes, aligned to 8), this program expects"));
}

// F20 F22
TEST(TypeRecord, longer_than_its_memory_is_corrupt) {
  std::vector<std::byte> bytes = written<acme::Pose>();
  EXPECT_TRUE(read_type(Bytes(bytes).first(bytes.size() - 1)).failed_with(Errc::corrupt));
  EXPECT_TRUE(read_type(Bytes(bytes).first(sizeof(TypeRecord) - 1)).failed_with(Errc::corrupt));
  const std::uint32_t many = UINT32_MAX;
  std::memcpy(bytes.data() + offsetof(TypeRecord, fields), &many, sizeof many);
  EXPECT_TRUE(read_type(bytes).failed_with(Errc::corrupt));
}

// F22
TEST(TypeRecord, whose_texts_are_longer_than_their_room_reaches_nowhere) {
  std::vector<std::byte> bytes = written<acme::Pose>();
  const std::uint16_t longest = UINT16_MAX;
  std::memcpy(bytes.data() + offsetof(TypeRecord, name), &longest, sizeof longest);
  EXPECT_TRUE(check_against<acme::Pose>(bytes).failed_with(Errc::type_mismatch));
}

}  // namespace
