#pragma once
/// Messages that tell whether they are whole: a number, and words that follow from it.
#include <tenon/memory/type_fields.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kit {

template <std::size_t Words>
struct Numbers {
  std::uint64_t number;
  std::array<std::uint64_t, Words> same;
};

template <class T>
T numbered(std::uint64_t number) {
  T message{.number = number, .same = {}};
  message.same.fill(number * 3);
  return message;
}
template <class T>
bool is_whole(const T& message) {
  return std::ranges::all_of(message.same, [&](std::uint64_t word) { return word == message.number * 3; });
}

// What TENON_FIELDS makes of a type that is no template.
template <std::size_t Words>
constexpr auto tenon_fields(const Numbers<Words>*) noexcept {
  using Same = std::array<std::uint64_t, Words>;
  return std::to_array<tenon::TypeField>({tenon::field_at<std::uint64_t>("number", offsetof(Numbers<Words>, number)),
                                          tenon::field_at<Same>("same", offsetof(Numbers<Words>, same))});
}
template <std::size_t Words>
constexpr std::string_view tenon_type_name(const Numbers<Words>*) noexcept {
  return "Numbers";
}

}  // namespace kit
