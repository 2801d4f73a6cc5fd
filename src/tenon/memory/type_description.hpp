#pragma once
/// What a type is called where processes meet: a name that its author gives it, its size and its alignment.
///
/// The compiler's own names differ between compilers, and typeid's between versions: none of them is written down. A
/// type says its name itself,
///
///     struct Order {
///       static constexpr std::string_view type_name = "acme.Order";
///       …
///     };
///
/// or TypeNameOf is specialised for it. Arithmetic types are named by what they are on every machine: "u32", "f64".
/// `long` and `unsigned` are such names of their size, so two builds that differ in it have two types. A type whose
/// fields are listed by TENON_FIELDS (type_fields.hpp) needs no more to be named, and differs in its hash when they do.
#include <tenon/base/contract.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tenon {

/// Room for a type's name; longer ones are a broken contract, at compile time where the type is known.
class TypeText {
 public:
  static constexpr std::size_t capacity = 126;

  constexpr TypeText() noexcept = default;
  constexpr TypeText(std::string_view text) noexcept { append(text); }
  constexpr TypeText(const char* text) noexcept { append(text); }
  constexpr TypeText& append(std::string_view text) noexcept {
    expects(text.size() <= capacity - size_, "a type's name has at most 126 bytes");
    std::copy(text.begin(), text.end(), characters_ + size_);
    size_ = static_cast<std::uint16_t>(size_ + text.size());
    return *this;
  }
  /// In decimal.
  constexpr TypeText& append(std::uint64_t number) noexcept {
    char digits[20] = {};
    std::size_t first = sizeof(digits);
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return append({digits + first, sizeof(digits) - first});
  }
  constexpr std::string_view view() const noexcept { return {characters_, size_}; }

 private:
  std::uint16_t size_ = 0;
  char characters_[capacity] = {};
};

/// Specialise it for a type that cannot say its name itself: `static constexpr TypeText value = "acme.Order";`
template <class T>
struct TypeNameOf;

template <class T>
  requires requires {
    { T::type_name } -> std::convertible_to<std::string_view>;
  }
struct TypeNameOf<T> {
  static constexpr TypeText value{std::string_view(T::type_name)};
};

template <class T>
  requires std::is_arithmetic_v<T>
struct TypeNameOf<T> {
  static constexpr TypeText named() noexcept {
    if (std::is_same_v<T, bool> || std::is_same_v<T, char>) {
      return {std::is_same_v<T, bool> ? std::string_view("bool") : std::string_view("char")};
    }
    const char bytes = static_cast<char>('0' + sizeof(T));
    const char kind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
    TypeText text(std::string_view(&kind, 1));
    if (sizeof(T) == 16) {
      return text.append("128");
    }
    return text.append(bytes == '1' ? "8" : bytes == '2' ? "16" : bytes == '4' ? "32" : "64");
  }
  static constexpr TypeText value = named();
};

template <>
struct TypeNameOf<std::byte> {
  static constexpr TypeText value = TypeNameOf<std::uint8_t>::value;
};

/// One member of a type, or a row of members that are alike. Its texts live as long as the program.
struct TypeField {
  std::string_view name;
  std::string_view kind;  ///< what one of them is called: "f64"
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< of one of them
  std::uint64_t count = 1;
  std::uint64_t hash = 0;  ///< of the description of one of them, which a nested type's own fields are part of

  friend constexpr bool operator==(const TypeField&, const TypeField&) = default;
};

/// Listed by TENON_FIELDS, which makes these functions.
template <class T>
concept DescribedType = requires {
  tenon_fields(static_cast<const T*>(nullptr));
  tenon_type_name(static_cast<const T*>(nullptr));
};

template <DescribedType T>
  requires(!requires { T::type_name; })
struct TypeNameOf<T> {
  static constexpr TypeText value{tenon_type_name(static_cast<const T*>(nullptr))};
};

template <class T>
concept NamedType = requires { TypeNameOf<T>::value; };

/// A name with its figures. `hash` is over all of them, so it tells two descriptions apart with one comparison.
struct TypeDescription {
  std::string_view name;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;
  std::uint64_t hash = 0;

  friend constexpr bool operator==(const TypeDescription&, const TypeDescription&) = default;
  /// "acme.Order (48 bytes, aligned to 8)"
  std::string text() const;
};

/// 64 bits of FNV-1a: the same in every build, on every machine.
constexpr std::uint64_t hash_of_text(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325) noexcept {
  for (const char character : text) {
    seed = (seed ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  }
  return seed;
}

constexpr TypeDescription describe(std::string_view name, std::uint64_t size, std::uint64_t alignment) noexcept {
  const std::uint64_t named = hash_of_text(name);
  return {.name = name,
          .size = size,
          .alignment = alignment,
          .hash = ((named ^ size) * 0x100000001b3 ^ alignment) * 0x100000001b3};
}

/// The same with fields, which are part of the hash.
constexpr TypeDescription describe(std::string_view name, std::uint64_t size, std::uint64_t alignment,
                                   std::span<const TypeField> fields) noexcept {
  TypeDescription type = describe(name, size, alignment);
  for (const TypeField& field : fields) {
    type.hash = hash_of_text(field.name, type.hash);
    for (const std::uint64_t figure : {field.offset, field.size, field.count, field.hash}) {
      type.hash = (type.hash ^ figure) * 0x100000001b3;
    }
  }
  return type;
}

template <DescribedType T>
inline constexpr auto listed_fields = tenon_fields(static_cast<const T*>(nullptr));

/// The fields of a type in their order; none of one that TENON_FIELDS does not list.
template <class T>
constexpr std::span<const TypeField> fields_of() noexcept {
  if constexpr (DescribedType<T>) {
    return listed_fields<T>;
  } else {
    return {};
  }
}

template <NamedType T>
constexpr TypeDescription type_of() noexcept {
  return describe(TypeNameOf<T>::value.view(), sizeof(T), alignof(T), fields_of<T>());
}

/// "Vector<u32>", of "Vector" and u32.
template <NamedType... Of>
constexpr TypeText type_text(std::string_view outer) noexcept {
  TypeText text(outer);
  const char* between = "<";
  ((text.append(between).append(TypeNameOf<Of>::value.view()), between = ","), ...);
  return text.append(">");
}

}  // namespace tenon
