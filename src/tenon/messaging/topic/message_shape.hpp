#pragma once
/// What may be a message, and how messages of a type travel: in an entry of the ring, or in a chunk that it names.
#include <tenon/base/bytes.hpp>
#include <tenon/base/cache_line.hpp>
#include <tenon/messaging/topic/endpoint_file.hpp>
#include <tenon/messaging/topic/message_ring.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

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

/// How messages of a type travel. Those of up to 40 bytes take one cache line.
template <class T>
struct MessageShape {
  static constexpr bool in_chunks = sizeof(T) > MessageEntry<13>::inline_bytes;
  static constexpr std::size_t entry_words = sizeof(T) > MessageEntry<5>::inline_bytes && !in_chunks ? 13 : 5;
  static constexpr std::size_t words = in_chunks ? 1 : (sizeof(T) + 7) / 8;  ///< of an entry that it needs
};
/// Of a variable length: in the entry what is short and was not lent, all else in a chunk.
template <SlicedMessage T>
struct MessageShape<T> {
  static constexpr std::size_t entry_words = 13;
  static constexpr std::size_t words = entry_words;
};

template <class T>
struct SliceName {
  static constexpr TypeText value = type_text<T>("Slice");
};

/// The type of a topic of slices: that of an element, by the name "Slice<…>".
template <SlicedMessage T>
constexpr MessageType message_type() noexcept {
  using Element = typename SliceElement<T>::Type;
  return {.description =
              describe(SliceName<Element>::value.view(), sizeof(Element), alignof(Element), fields_of<Element>()),
          .fields = fields_of<Element>()};
}

}  // namespace tenon
