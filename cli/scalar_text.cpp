#include <cli/scalar_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>

namespace tenon::cli {

namespace {

using Json = ValueText::Json;
using Category = ScalarKind::Category;

template <class T>
T load(Bytes from) noexcept {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  return value;
}

// As short as it can be and still be that number: a float's digits, not those of the double that it becomes.
template <std::floating_point T>
Json floating_json(T value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  const std::string digits = fmt::format("{}", value);
  double number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

template <class T>
std::string does_not_fit(const Json& from) {
  return fmt::format("is {}, where {} to {} fit", from.dump(), +std::numeric_limits<T>::min(),
                     +std::numeric_limits<T>::max());
}

template <class T>
std::string put(T value, MutableBytes into) {
  std::memcpy(into.data(), &value, sizeof value);
  return "";
}

template <std::integral T>
std::string put_integer(const Json& from, MutableBytes into) {
  if (from.is_number_unsigned()) {
    const auto value = from.get<std::uint64_t>();
    return std::in_range<T>(value) ? put(static_cast<T>(value), into) : does_not_fit<T>(from);
  }
  if (from.is_number_integer()) {
    const auto value = from.get<std::int64_t>();
    return std::in_range<T>(value) ? put(static_cast<T>(value), into) : does_not_fit<T>(from);
  }
  return from.is_number() ? fmt::format("is {}, where a whole number of {} bytes belongs", from.dump(), sizeof(T))
                          : fmt::format("is {}, where a number belongs", kind_of_json(from));
}

template <std::floating_point T>
std::string put_floating(const Json& from, MutableBytes into) {
  if (from.is_string()) {
    const auto& word = from.get_ref<const std::string&>();
    constexpr T infinity = std::numeric_limits<T>::infinity();
    if (word == "nan" || word == "inf" || word == "-inf") {
      return put(word == "nan" ? std::numeric_limits<T>::quiet_NaN() : word == "inf" ? infinity : -infinity, into);
    }
  }
  if (!from.is_number()) {
    return fmt::format("is {}, where a number belongs", kind_of_json(from));
  }
  // Rounded to the nearest, so what is shown for the largest one, a little more, is that again.
  const T value = static_cast<T>(from.get<double>());
  return std::isfinite(value) ? put(value, into)
                              : fmt::format("is {}, where {} bytes hold no more than {}", from.dump(), sizeof(T),
                                            std::numeric_limits<T>::max());
}

std::string put_character(const Json& from, MutableBytes into) {
  if (!from.is_string() || from.get_ref<const std::string&>().size() != 1) {
    return from.is_string() ? "is a string of another length than one byte"
                            : fmt::format("is {}, where a string of one byte belongs", kind_of_json(from));
  }
  return put(from.get_ref<const std::string&>().front(), into);
}

template <class... T>
struct Integers {
  template <class Use>
  static auto with(std::uint64_t bytes, Use use) {
    decltype(use(std::int8_t{})) result{};
    ((bytes == sizeof(T) ? void(result = use(T{})) : void()), ...);
    return result;
  }
};
using Signed = Integers<std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
using Unsigned = Integers<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;

struct NamedScalar {
  std::string_view name;
  ScalarKind kind;
};
constexpr std::array named = {
    NamedScalar{"bool", {Category::boolean, 1}},        NamedScalar{"char", {Category::character, 1}},
    NamedScalar{"i8", {Category::signed_number, 1}},    NamedScalar{"i16", {Category::signed_number, 2}},
    NamedScalar{"i32", {Category::signed_number, 4}},   NamedScalar{"i64", {Category::signed_number, 8}},
    NamedScalar{"u8", {Category::unsigned_number, 1}},  NamedScalar{"u16", {Category::unsigned_number, 2}},
    NamedScalar{"u32", {Category::unsigned_number, 4}}, NamedScalar{"u64", {Category::unsigned_number, 8}},
    NamedScalar{"f32", {Category::floating, 4}},        NamedScalar{"f64", {Category::floating, 8}},
};

}  // namespace

std::optional<ScalarKind> scalar_of(std::string_view kind) noexcept {
  const auto* const found = std::ranges::find(named, kind, &NamedScalar::name);
  return found != named.end() ? std::optional(found->kind) : std::nullopt;
}

std::optional<std::uint64_t> whole_number_in(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Json scalar_json(const ScalarKind& kind, Bytes from) {
  switch (kind.category) {
    case Category::boolean:
      return load<std::uint8_t>(from) != 0;
    case Category::character:
      return std::string(1, load<char>(from));
    case Category::signed_number:
      return Signed::with(kind.bytes, [&](auto one) { return Json(load<decltype(one)>(from)); });
    case Category::unsigned_number:
      return Unsigned::with(kind.bytes, [&](auto one) { return Json(load<decltype(one)>(from)); });
    default:
      return kind.bytes == sizeof(float) ? floating_json(load<float>(from)) : floating_json(load<double>(from));
  }
}

std::string put_scalar(const ScalarKind& kind, const Json& from, MutableBytes into) {
  switch (kind.category) {
    case Category::boolean:
      return from.is_boolean() ? put(static_cast<std::uint8_t>(from.get<bool>()), into)
                               : fmt::format("is {}, where true or false belongs", kind_of_json(from));
    case Category::character:
      return put_character(from, into);
    case Category::signed_number:
      return Signed::with(kind.bytes, [&](auto one) { return put_integer<decltype(one)>(from, into); });
    case Category::unsigned_number:
      return Unsigned::with(kind.bytes, [&](auto one) { return put_integer<decltype(one)>(from, into); });
    default:
      return kind.bytes == sizeof(float) ? put_floating<float>(from, into) : put_floating<double>(from, into);
  }
}

std::string kind_of_json(const Json& value) {
  if (value.is_null()) {
    return "null";
  }
  const std::string name = value.type_name();
  return (name == "array" || name == "object" ? "an " : "a ") + name;
}

bool is_utf8(std::string_view text) {
  const auto decoded = Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::ignore);
  return Json::parse(decoded, nullptr, false) == Json(std::string(text));
}

}  // namespace tenon::cli
