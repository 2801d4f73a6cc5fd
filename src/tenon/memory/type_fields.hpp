#pragma once
/// The fields of a type, listed once, so that who meets it in shared memory can tell which of them differs.
///
///     struct Pose {
///       double x, y;
///       float heading;
///     };
///     TENON_FIELDS(Pose, x, y, heading)
///
/// Behind the type, in its own namespace. Its name is what stands there, unless it says another itself (type_name).
/// Fields are arithmetic, arrays, FixedString, FixedVector, or types that have a name; up to 250 of them.
#include <tenon/memory/type_description.hpp>

#include <array>
#include <cstddef>
#include <type_traits>

namespace tenon {

template <class T>
struct FieldElement {
  using Type = std::remove_all_extents_t<T>;
  static constexpr std::uint64_t count = sizeof(T) / sizeof(Type);
};
template <class T, std::size_t N>
struct FieldElement<std::array<T, N>> {
  using Type = typename FieldElement<T>::Type;
  static constexpr std::uint64_t count = N * FieldElement<T>::count;
};

/// A field of type T that begins at `offset`.
template <class T>
constexpr TypeField field_at(std::string_view name, std::size_t offset) noexcept {
  using Element = typename FieldElement<T>::Type;
  static_assert(NamedType<Element>, "a field is a number, or of a type that has a name: see type_description.hpp");
  return {.name = name,
          .kind = TypeNameOf<Element>::value.view(),
          .offset = offset,
          .size = sizeof(Element),
          .count = FieldElement<T>::count,
          .hash = type_of<Element>().hash};
}

}  // namespace tenon

// Each pass over the list takes one field; four passes of four of four of four are 256.
#define TENON_PASSES(...) TENON_PASSES_4(TENON_PASSES_4(TENON_PASSES_4(TENON_PASSES_4(__VA_ARGS__))))
#define TENON_PASSES_4(...) TENON_PASSES_3(TENON_PASSES_3(TENON_PASSES_3(TENON_PASSES_3(__VA_ARGS__))))
#define TENON_PASSES_3(...) TENON_PASSES_2(TENON_PASSES_2(TENON_PASSES_2(TENON_PASSES_2(__VA_ARGS__))))
#define TENON_PASSES_2(...) TENON_PASSES_1(TENON_PASSES_1(TENON_PASSES_1(TENON_PASSES_1(__VA_ARGS__))))
#define TENON_PASSES_1(...) __VA_ARGS__
#define TENON_NOTHING ()
#define TENON_FIELD(Type, field, ...)                                      \
  ::tenon::field_at<decltype(Type::field)>(#field, offsetof(Type, field)), \
      __VA_OPT__(TENON_NEXT_FIELD TENON_NOTHING(Type, __VA_ARGS__))
#define TENON_NEXT_FIELD() TENON_FIELD

#define TENON_FIELDS(Type, ...)                                                                       \
  [[maybe_unused]] constexpr auto tenon_fields(const Type*) noexcept {                                \
    static_assert(std::is_standard_layout_v<Type>, "the places of its fields are known");             \
    return std::to_array<::tenon::TypeField>({TENON_PASSES(TENON_FIELD(Type, __VA_ARGS__))});         \
  }                                                                                                   \
  [[maybe_unused]] constexpr std::string_view tenon_type_name(const Type*) noexcept { return #Type; } \
  static_assert(true, "a semicolon may follow")
