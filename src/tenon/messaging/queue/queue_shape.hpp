#pragma once
/// What a queue of M carries, and how it stands in a slot. queue.hpp
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/queue/queue_file.hpp>
#include <tenon/messaging/topic/message_shape.hpp>

#include <cstring>
#include <new>
#include <span>
#include <vector>

namespace tenon {

/// A message as it was received.
template <class Value>
struct Delivery : MessageStamp {
  Value value{};
};

/// What a queue of M carries: one M, or, of Slice<T> and Bytes, any number of elements.
template <class M>
struct QueueShape {
  using Value = M;
  using In = const M&;
  using View = const M&;
  using Writable = M&;
  static constexpr std::uint64_t bytes_of_each = sizeof(M);
  static QueueType type() noexcept {
    return {.description = type_of<M>(), .fields = fields_of<M>(), .bytes_of_each = sizeof(M)};
  }
  static Bytes bytes(const M& value) noexcept { return bytes_of_value(value); }
  static bool is_sound(std::uint64_t length) noexcept { return length == sizeof(M); }
  static const M& view(const std::byte* at, std::uint64_t) noexcept { return *reinterpret_cast<const M*>(at); }
  static M& writable(std::byte* at, std::uint64_t) noexcept { return *::new (at) M; }
  static void copy(M& into, const std::byte* at, std::uint64_t) noexcept {
    std::memcpy(static_cast<void*>(&into), at, sizeof(M));
  }
};
template <SlicedMessage S>
struct QueueShape<S> {
  using Element = typename SliceElement<S>::Type;
  using Value = std::vector<Element>;
  using In = std::span<const Element>;
  using View = std::span<const Element>;
  using Writable = std::span<Element>;
  static QueueType type() noexcept {
    return {.description = MessageShape<S>::type().description, .fields = MessageShape<S>::type().fields};
  }
  static Bytes bytes(In elements) noexcept { return std::as_bytes(elements); }
  static bool is_sound(std::uint64_t length) noexcept { return length % sizeof(Element) == 0; }
  static View view(const std::byte* at, std::uint64_t length) noexcept {
    return {reinterpret_cast<const Element*>(at), length / sizeof(Element)};
  }
  static Writable writable(std::byte* at, std::uint64_t length) noexcept {
    return {reinterpret_cast<Element*>(at), length / sizeof(Element)};
  }
  static void copy(Value& into, const std::byte* at, std::uint64_t length) {
    const View elements = view(at, length);
    into.assign(elements.begin(), elements.end());
  }
};
template <class M>
concept QueueMessage = Message<M> || SlicedMessage<M>;

inline MessageStamp stamp_of(const QueueSlot& slot) noexcept {
  return {.priority = Priority(slot.priority),
          .number = slot.seq,
          .deliveries = slot.deliveries,
          .sent = slot.sent,
          .from = Token::from(slot.from)};
}

}  // namespace tenon
