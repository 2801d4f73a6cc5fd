#pragma once
/// What may be a message, and how messages of a type travel: in an entry of the ring, or in a chunk that it names.
#include <tenon/base/bytes.hpp>
#include <tenon/base/cache_line.hpp>
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/message_ring.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon {

/// What may be a message: it means the same wherever its bytes are mapped, and has a name.
template <class T>
concept Message =
    std::is_trivially_copyable_v<T> && std::default_initializable<T> && NamedType<T> && alignof(T) <= cache_line;

/// A message of any number of T in a row, as many as the publisher's `longest` at most.
template <class T>
struct Slice {};

template <class T>
struct SliceElement;
template <class T>
struct SliceElement<Slice<T>> {
  using Type = T;
};
/// Bytes, as they are: the same messages as those of Slice<std::uint8_t>, by the name of std::byte.
template <>
struct SliceElement<Bytes> {
  using Type = std::byte;
};

/// A message of variable length: Slice<T>, or Bytes.
template <class T>
concept SlicedMessage = requires { typename SliceElement<T>::Type; } && Message<typename SliceElement<T>::Type>;

/// A message that is a T and, behind it in the same chunk, what the Tail members of that T name (tail.hpp).
template <class T>
struct Tailed {};

template <class T>
struct TailedHead;
template <class T>
struct TailedHead<Tailed<T>> {
  using Type = T;
};
template <class T>
concept TailedMessage = requires { typename TailedHead<T>::Type; } && Message<typename TailedHead<T>::Type>;

template <class T>
concept AnyMessage = Message<T> || SlicedMessage<T> || TailedMessage<T>;

/// How messages of a type travel, and which of them can be: what an entry says of its message. Those of up to 40 bytes
/// take one cache line.
template <class T>
struct MessageShape {
  static constexpr bool in_chunks = sizeof(T) > MessageEntry<13>::inline_bytes;
  static constexpr std::size_t entry_words = sizeof(T) > MessageEntry<5>::inline_bytes && !in_chunks ? 13 : 5;
  static constexpr std::size_t words = in_chunks ? 1 : (sizeof(T) + 7) / 8;  ///< of an entry that it needs

  static bool is_sound(const MessageAbout& about) noexcept {
    return about.bytes == sizeof(T) && about.form == (in_chunks ? MessageForm::chunk : MessageForm::inline_words);
  }
  static constexpr MessageType type() noexcept { return message_type<T>(); }
  /// The words of a message within an entry. Each is loaded by itself, as the fields were stored, more or less: a wider
  /// load would have to wait until all stores that it covers are done.
  static std::array<std::uint64_t, words> words_of(const T& value) noexcept {
    std::array<std::uint64_t, words> into{};
    for_each_piece<8>([&](auto at, auto bytes) { std::memcpy(&into[at / 8], bytes_of(value) + at, bytes); },
                      std::make_index_sequence<words>());
    return into;
  }
  /// And back. Stored in pairs, so that wide and narrow loads of the value find it in one store.
  static void take_words(T& value, const std::array<std::uint64_t, words>& from) noexcept {
    using Pair __attribute__((vector_size(16))) = std::uint64_t;
    for_each_piece<sizeof(Pair)>(
        [&](auto at, auto bytes) {
          constexpr std::size_t first = at / 8;
          if constexpr (first + 1 < words) {
            const Pair pair = {from[first], from[first + 1]};
            std::memcpy(bytes_of(value) + at, &pair, bytes);
          } else {
            std::memcpy(bytes_of(value) + at, &from[first], bytes);
          }
        },
        std::make_index_sequence<(words + 1) / 2>());
  }

 private:
  static const std::byte* bytes_of(const T& value) noexcept { return reinterpret_cast<const std::byte*>(&value); }
  static std::byte* bytes_of(T& value) noexcept { return reinterpret_cast<std::byte*>(&value); }
  // Calls `use` with the place and the length of each piece of `step` bytes, without a loop.
  template <std::size_t step, class Use, std::size_t... I>
  static void for_each_piece(Use use, std::index_sequence<I...>) noexcept {
    (use(std::integral_constant<std::size_t, I * step>(),
         std::integral_constant<std::size_t, std::min(step, sizeof(T) - I * step)>()),
     ...);
  }
};
/// Of a variable length: in the entry what is short and was not lent, all else in a chunk, whose length pin() knows.
template <SlicedMessage T>
struct MessageShape<T> {
  using Element = typename SliceElement<T>::Type;
  static constexpr bool in_chunks = true;
  static constexpr std::size_t entry_words = 13;
  static constexpr std::size_t words = entry_words;

  static bool is_sound(const MessageAbout& about) noexcept {
    const bool whole = about.bytes % sizeof(Element) == 0;
    return whole && (about.form == MessageForm::chunk || (about.form == MessageForm::inline_words &&
                                                          about.bytes <= MessageEntry<entry_words>::inline_bytes));
  }
  /// That of an element, by the name "Slice<…>".
  static constexpr MessageType type() noexcept;
};
/// Always in a chunk.
template <TailedMessage T>
struct MessageShape<T> {
  using Head = typename TailedHead<T>::Type;
  static constexpr bool in_chunks = true;
  static constexpr std::size_t entry_words = 5;
  static constexpr std::size_t words = 1;

  static bool is_sound(const MessageAbout& about) noexcept {
    return about.bytes >= sizeof(Head) && about.form == MessageForm::chunk;
  }
  /// That of its head, by the name "Tailed<…>".
  static constexpr MessageType type() noexcept;
};

template <class T>
struct SliceName {
  static constexpr TypeText value = type_text<T>("Slice");
};
template <class T>
struct TailedName {
  static constexpr TypeText value = type_text<T>("Tailed");
};
/// T's type by another name.
template <class T>
constexpr MessageType type_by_name(std::string_view name) noexcept {
  return {.description = describe(name, sizeof(T), alignof(T), fields_of<T>()), .fields = fields_of<T>()};
}
template <SlicedMessage T>
constexpr MessageType MessageShape<T>::type() noexcept {
  return type_by_name<Element>(SliceName<Element>::value.view());
}
template <TailedMessage T>
constexpr MessageType MessageShape<T>::type() noexcept {
  return type_by_name<Head>(TailedName<Head>::value.view());
}

}  // namespace tenon
