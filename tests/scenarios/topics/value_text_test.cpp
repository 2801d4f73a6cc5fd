#include <cli/type_notation.hpp>
#include <cli/value_text.hpp>

#include <tenon/memory/fixed_string.hpp>
#include <tenon/memory/fixed_vector.hpp>
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/tail.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace value_text {

struct Pose {
  double x;
  double y;
  float heading;
};
TENON_FIELDS(Pose, x, y, heading);

struct Inner {
  std::uint16_t a;
};
TENON_FIELDS(Inner, a);

struct Everything {
  std::uint64_t id;
  std::int8_t small;
  bool on;
  char key;
  char word[8];
  std::array<float, 3> at;
  tenon::FixedString<6> name;
  tenon::FixedVector<std::int32_t, 4> row;
  Inner inner;
};
TENON_FIELDS(Everything, id, small, on, key, word, at, name, row, inner);

struct Scan {
  double angle;
  tenon::Tail<float> ranges;
};
TENON_FIELDS(Scan, angle, ranges);

namespace {

using namespace tenon;
using namespace tenon::cli;
using testing::AllOf;
using testing::HasSubstr;

StoredType stored(const MessageType& type) {
  std::vector<std::byte> record(type.record_bytes());
  write_type(record, type.description, type.fields);
  return read_type(record).or_throw();
}
template <class T>
StoredType stored() {
  return stored(MessageShape<T>::type());
}
template <class T>
ValueText values() {
  return ValueText::of(stored<T>()).or_throw();
}
ValueText values(std::string_view notation) { return ValueText::of(type_in(notation).or_throw()).or_throw(); }

std::string refusal(const ValueText& values, std::string_view json) {
  const auto bytes = values.bytes_of(json);
  return bytes ? "nothing" : bytes.error().message();
}

Everything everything() {
  Everything value{};
  value.id = std::numeric_limits<std::uint64_t>::max();
  value.small = -128;
  value.on = true;
  value.key = 'k';
  std::strcpy(value.word, "word");
  value.at = {0.1F, -2, 3e10F};
  value.name.assign("a\"b").or_throw();
  value.row.push_back(-7).or_throw();
  value.row.push_back(8).or_throw();
  value.inner.a = 0x1234;
  return value;
}

TEST(ValueText, shows_fields_with_the_digits_that_they_have) {
  const Pose pose{.x = 1.5, .y = 2, .heading = 0.1F};
  EXPECT_EQ(values<Pose>().text(bytes_of_value(pose)).or_throw(), "x=1.5 y=2 heading=0.1");
  EXPECT_EQ(values<Pose>().json(bytes_of_value(pose)).or_throw(), R"({"x":1.5,"y":2.0,"heading":0.1})");
  EXPECT_EQ(values<Pose>().notation(), "Pose{f64 x, f64 y, f32 heading}");
}

TEST(ValueText, shows_every_kind_of_member) {
  EXPECT_EQ(
      values<Everything>().text(bytes_of_value(everything())).or_throw(),
      "id=18446744073709551615 small=-128 on=true key=\"k\" word=\"word\" at=[0.1, -2, 30000000000] name=\"a\\\"b\" "
      "row=[-7, 8] inner=0x3412");
}

TEST(ValueText, reads_back_what_it_has_shown_as_json) {
  const auto value = everything();
  const auto text = values<Everything>().json(bytes_of_value(value)).or_throw();
  const auto bytes = values<Everything>().bytes_of(text).or_throw();
  EXPECT_EQ(values<Everything>().json(bytes).or_throw(), text);
  EXPECT_EQ(bytes.size(), sizeof value);
  Everything again;
  std::memcpy(&again, bytes.data(), sizeof again);
  EXPECT_EQ(again.id, value.id);
  EXPECT_EQ(again.name, value.name);
  EXPECT_EQ(again.at, value.at);
  EXPECT_EQ(again.inner.a, value.inner.a);
}

TEST(ValueText, keeps_every_number_that_a_float_can_be) {
  std::mt19937 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    float number;
    std::memcpy(&number, &bits, sizeof number);
    const auto text = values<float>().json(bytes_of_value(number)).or_throw();
    const auto bytes = values<float>().bytes_of(text).or_throw();
    float again;
    std::memcpy(&again, bytes.data(), sizeof again);
    EXPECT_TRUE(again == number || (std::isnan(again) && std::isnan(number))) << text;
  }
}

TEST(ValueText, names_the_member_that_is_wrong) {
  const auto pose = values<Pose>();
  EXPECT_THAT(refusal(pose, R"({"x":1,"y":2})"),
              AllOf(HasSubstr("member \"heading\" is missing"), HasSubstr("Pose{f64 x, f64 y, f32 heading}")));
  EXPECT_THAT(refusal(pose, R"({"x":1,"y":2,"heading":3,"z":4})"), HasSubstr("no member \"z\""));
  EXPECT_THAT(refusal(pose, R"({"x":"1","y":2,"heading":3})"), HasSubstr("\"x\" is a string, where a number"));
  EXPECT_THAT(refusal(pose, R"({"x":1,"y":2,"heading":1e300})"), HasSubstr("\"heading\" is 1e+300"));
  EXPECT_THAT(refusal(pose, "[1,2,3]"), HasSubstr("is an array, where an object"));
  EXPECT_THAT(refusal(pose, R"({"x":1,)"), HasSubstr("no JSON"));
}

TEST(ValueText, refuses_numbers_that_do_not_fit) {
  EXPECT_THAT(refusal(values("u8"), "256"), HasSubstr("256, where 0 to 255 fit"));
  EXPECT_THAT(refusal(values("u8"), "-1"), HasSubstr("-1, where 0 to 255 fit"));
  EXPECT_THAT(refusal(values("i8"), "128"), HasSubstr("-128 to 127"));
  EXPECT_THAT(refusal(values("i64"), "9223372036854775808"), HasSubstr("9223372036854775807 fit"));
  EXPECT_THAT(refusal(values("u64"), "18446744073709551616"), HasSubstr("whole number"));
  EXPECT_THAT(refusal(values("u32"), "1.5"), HasSubstr("whole number"));
  EXPECT_THAT(refusal(values("bool"), "1"), HasSubstr("true or false"));
  EXPECT_TRUE(values("u64").bytes_of("18446744073709551615"));
  EXPECT_TRUE(values("i64").bytes_of("-9223372036854775808"));
}

TEST(ValueText, refuses_texts_and_rows_that_are_too_long) {
  EXPECT_THAT(refusal(values("A{char[3] w}"), R"({"w":"four"})"), HasSubstr("4 bytes, where there is room for 3"));
  EXPECT_THAT(refusal(values("A{FixedString<3> w}"), R"({"w":"four"})"), HasSubstr("room for 3"));
  EXPECT_THAT(refusal(values("A{u8[3] w}"), R"({"w":[1,2]})"), HasSubstr("2 elements, where 3"));
  EXPECT_THAT(refusal(values("A{u8[3] w}"), R"({"w":[1,2,300]})"), HasSubstr("element 3: is 300"));
  auto text = values<Everything>().json(bytes_of_value(everything())).or_throw();
  text.replace(text.find("[-7,8]"), 6, "[1,2,3,4,5]");
  EXPECT_THAT(refusal(values<Everything>(), text), HasSubstr("5 elements, where there is room for 4"));
  text = values<Everything>().json(bytes_of_value(everything())).or_throw();
  text.replace(text.find("0x3412"), 6, "0x34zz");
  EXPECT_THAT(refusal(values<Everything>(), text), HasSubstr("4 hexadecimal digits"));
}

TEST(ValueText, shows_slices_of_bytes_as_text_and_of_numbers_as_rows) {
  EXPECT_EQ(values<Bytes>().text(bytes_of("say \"hi\"\n")).or_throw(), "say \"hi\"\\n");
  EXPECT_EQ(values<Bytes>().json(bytes_of("hi")).or_throw(), "\"hi\"");
  EXPECT_EQ(values<Bytes>().json(bytes_of("\xff")).or_throw(), "[255]");
  EXPECT_EQ(text_of(values<Bytes>().bytes_of("\"hi\"").or_throw()), "hi");
  EXPECT_EQ(text_of(values<Bytes>().bytes_of("[104, 105]").or_throw()), "hi");
  const std::array numbers{1.5F, 2.0F};
  EXPECT_EQ(values<Slice<float>>().text(std::as_bytes(std::span(numbers))).or_throw(), "[1.5, 2]");
  const std::array poses{Pose{.x = 1, .y = 2, .heading = 3}, Pose{.x = 4, .y = 5, .heading = 6}};
  EXPECT_EQ(values<Slice<Pose>>().text(std::as_bytes(std::span(poses))).or_throw(),
            "x=1 y=2 heading=3\nx=4 y=5 heading=6");
  EXPECT_THAT(refusal(values<Slice<float>>(), "1"), HasSubstr("where an array belongs"));
  EXPECT_TRUE(values<Slice<float>>().text(bytes_of("123")).failed_with(Errc::corrupt));
}

struct ScanMessage {
  Scan head;
  std::array<float, 2> ranges;
};

TEST(ValueText, follows_a_tail_as_far_as_its_message_goes) {
  ScanMessage message{.head = {.angle = 1, .ranges = {.at = sizeof(Scan), .count = 2}}, .ranges = {3, 4}};
  EXPECT_EQ(values<Tailed<Scan>>().text(bytes_of_value(message)).or_throw(), "angle=1 ranges=[3, 4]");
  message.head.ranges.count = 3;
  EXPECT_EQ(values<Tailed<Scan>>().text(bytes_of_value(message)).or_throw(), "angle=1 ranges=null");
  message.head.ranges = {.at = UINT64_MAX, .count = UINT64_MAX};
  EXPECT_EQ(values<Tailed<Scan>>().text(bytes_of_value(message)).or_throw(), "angle=1 ranges=null");
  EXPECT_TRUE(values<Tailed<Scan>>().bytes_of("{}").failed_with(Errc::not_supported));
}

// F20: whatever stands in the record, and in the value, nothing outside of them is read.
TEST(ValueText, reads_nothing_beside_a_value_whose_type_lies) {
  std::mt19937_64 random(11);
  const StoredType truth = stored<Everything>();
  const std::array<std::uint64_t, 6> traps{0, 1, 7, std::uint64_t{1} << 32, UINT64_MAX, UINT64_MAX / 2};
  std::vector<std::byte> value(sizeof(Everything));
  std::size_t believed = 0;
  for (int i = 0; i < 20'000; ++i) {
    StoredType lie = truth;
    FieldRecord& field = lie.fields[random() % lie.fields.size()];
    for (std::uint64_t* figure : {&field.offset, &field.size, &field.count}) {
      *figure = random() % 2 == 0 ? *figure : random() % 2 == 0 ? traps[random() % traps.size()] : random() % 64;
    }
    field.kind.length = static_cast<std::uint16_t>(random() % 4 == 0 ? random() : field.kind.length);
    std::ranges::generate(value, [&] { return static_cast<std::byte>(random()); });
    if (const auto made = ValueText::of(lie)) {
      ++believed;
      const auto text = made->text(value);
      const auto json = made->json(value);
      EXPECT_TRUE(text && json);
    }
  }
  EXPECT_GT(believed, 0U);
}

struct Largest {
  float one;
  FixedString<16> text;
};
TENON_FIELDS(Largest, one, text);

ValueText text_of_type(const MessageType& type) {
  std::vector<std::byte> record(type.record_bytes());
  write_type(record, type.description, type.fields);
  return ValueText::of(read_type(record).or_throw()).or_throw();
}

TEST(ValueText, takes_back_the_largest_number_that_it_shows) {
  const ValueText texts = text_of_type(MessageShape<Largest>::type());
  const Largest largest{.one = std::numeric_limits<float>::max(), .text = "a"};
  const auto json = texts.json(bytes_of_value(largest)).or_throw();
  const auto again = texts.bytes_of(json).or_throw();
  EXPECT_EQ(std::memcmp(again.data(), &largest.one, sizeof largest.one), 0);
}

TEST(ValueText, lets_no_text_forge_a_line_or_a_member) {
  const ValueText texts = text_of_type(MessageShape<Largest>::type());
  const Largest forged{.one = 1, .text = "0x1\nb=2"};
  EXPECT_EQ(texts.text(bytes_of_value(forged)).or_throw(), "one=1 text=\"0x1\\nb=2\"");
}

TEST(TypeNotation, is_the_type_that_a_program_lists) {
  const auto same = [](const MessageType& type, std::string_view notation) {
    return check_type(type_in(notation).or_throw(), type.description, type.fields);
  };
  EXPECT_TRUE(same(MessageShape<Pose>::type(), "Pose{f64 x, f64 y, f32 heading}"));
  EXPECT_TRUE(same(MessageShape<Pose>::type(), "  Pose { f64 x ,f64  y,\tf32 heading } "));
  EXPECT_TRUE(same(MessageShape<Slice<Pose>>::type(), "Slice<Pose>{f64 x, f64 y, f32 heading}"));
  EXPECT_TRUE(same(MessageShape<double>::type(), "f64"));
  EXPECT_TRUE(same(MessageShape<Slice<float>>::type(), "Slice<f32>"));
  EXPECT_TRUE(same(MessageShape<Bytes>::type(), "bytes"));
  EXPECT_TRUE(same(MessageShape<Bytes>::type(), "Slice<u8>"));
  EXPECT_FALSE(same(MessageShape<Pose>::type(), "Pose{f64 x, f64 y, f64 heading}"));
  EXPECT_FALSE(same(MessageShape<Pose>::type(), "Pose{f64 y, f64 x, f32 heading}"));
}

struct Padded {
  char key;
  FixedString<5> name;
  std::uint16_t row[3];
  double last;
};
TENON_FIELDS(Padded, key, name, row, last);

TEST(TypeNotation, puts_members_where_the_compiler_does) {
  const auto type = MessageShape<Padded>::type();
  EXPECT_TRUE(check_type(type_in("Padded{char key, FixedString<5> name, u16[3] row, f64 last}").or_throw(),
                         type.description, type.fields));
}

TEST(TypeNotation, says_what_is_wrong_with_it) {
  for (const char* wrong : {"", "{f64 x}", "Pose", "Pose{", "Pose{}", "Pose{f64}", "Pose{f65 x}", "Pose{f64[0] x}",
                            "Pose{f64[x] x}", "Pose{f64 x,}", "Pose{f64 x, f32 x}", "Pose{f64[999999999999] x}",
                            "Slice<Pose>", "Pose{FixedString<> x}", "Pose{f64[1000000000] x}"}) {
    const auto type = type_in(wrong);
    EXPECT_TRUE(type.failed_with(Errc::invalid_argument)) << wrong;
  }
  EXPECT_THAT(type_in("Pose{f65 x}").error().message(), HasSubstr("\"f65 x\" is of no kind"));
}

}  // namespace
}  // namespace value_text
