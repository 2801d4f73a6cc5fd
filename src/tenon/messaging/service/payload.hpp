#pragma once
/// What a call carries: in its entry of the ring, up to 80 bytes, or in a chunk of its sender's. service_layout.hpp
#include <tenon/messaging/service/service_layout.hpp>
#include <tenon/messaging/topic/message_shape.hpp>
#include <tenon/messaging/topic/publisher_handle.hpp>
#include <tenon/messaging/topic/subscriber_port.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace tenon {

using CallPublisher = PublisherPort<CallEntry::words>;
using CallSubscriber = SubscriberPort<CallEntry::words>;
using CallChunk = LentChunk<CallEntry::words>;

/// A chunk that is being written, and who keeps the memory that it is of.
struct CallRoom {
  std::shared_ptr<void> owner;
  CallChunk chunk;  // goes before its owner
};

/// What the messages of a type may be like, where the type is not known.
struct PayloadRule {
  bool in_chunks;         ///< some of them
  std::uint64_t longest;  ///< bytes
  bool (*is_sound)(std::uint64_t bytes) noexcept;
};

template <AnyMessage M>
struct PayloadShape {
  static constexpr bool in_chunks = sizeof(M) > most_inline_payload;
  static bool is_sound(std::uint64_t bytes) noexcept { return bytes == sizeof(M); }
  static std::uint64_t longest(std::uint64_t) noexcept { return sizeof(M); }
};
template <SlicedMessage M>
struct PayloadShape<M> {
  using Element = typename SliceElement<M>::Type;
  static constexpr bool in_chunks = true;
  static bool is_sound(std::uint64_t bytes) noexcept { return bytes % sizeof(Element) == 0; }
  static std::uint64_t longest(std::uint64_t elements) noexcept {
    constexpr std::uint64_t usual_bytes = 64 << 10;
    const std::uint64_t most = MessageAbout::most_bytes / sizeof(Element);
    return (elements != 0 ? std::min(elements, most) : std::max<std::uint64_t>(usual_bytes / sizeof(Element), 1)) *
           sizeof(Element);
  }
};
template <TailedMessage M>
struct PayloadShape<M> {
  using Head = typename TailedHead<M>::Type;
  static constexpr bool in_chunks = true;
  static bool is_sound(std::uint64_t bytes) noexcept { return bytes >= sizeof(Head); }
  static std::uint64_t longest(std::uint64_t tail) noexcept {
    constexpr std::uint64_t usual_bytes = 64 << 10;
    return sizeof(Head) + std::min(tail != 0 ? tail : usual_bytes, MessageAbout::most_bytes - sizeof(Head));
  }
};
/// How a payload that is copied is passed: a reference, or a span of a slice's elements.
template <class M>
struct PayloadArgument {
  using Type = const M&;
  static Bytes bytes(const M& value) noexcept { return std::as_bytes(std::span(&value, 1)); }
};
template <SlicedMessage M>
struct PayloadArgument<M> {
  using Type = std::span<const typename SliceElement<M>::Type>;
  static Bytes bytes(Type elements) noexcept { return std::as_bytes(elements); }
};

template <AnyMessage M>
PayloadRule payload_rule(std::uint64_t longest) noexcept {
  using Shape = PayloadShape<M>;
  return {.in_chunks = Shape::in_chunks, .longest = Shape::longest(longest), .is_sound = Shape::is_sound};
}

inline Error too_long(const char* call, std::uint64_t longest, std::uint64_t wanted) {
  return Error(Errc::message_too_long, call)
      .with({.name = "bytes of a message",
             .value = longest,
             .wanted = wanted,
             .remedy = "create its sender with a larger `longest`, or send it in parts"});
}

/// A payload on its way out: words of an entry, or a chunk that stays its owner's until it is sent.
struct Outgoing {
  std::array<std::uint64_t, payload_words> words;
  std::uint64_t bytes = 0;
  std::optional<std::uint32_t> chunk = {};

  static Outgoing nothing() noexcept { return copy_of({}); }
  /// At most most_inline_payload bytes.
  static Outgoing copy_of(Bytes payload) noexcept {
    Outgoing out;
    out.words.fill(0);
    std::ranges::copy(payload, std::as_writable_bytes(std::span(out.words)).begin());
    out.bytes = payload.size();
    return out;
  }
  static Outgoing in_chunk(std::uint32_t chunk, std::uint64_t bytes) noexcept {
    Outgoing out;
    out.words[0] = chunk;
    out.bytes = bytes;
    out.chunk = chunk;
    return out;
  }
};

/// Publishes it behind its head. Outcomes and failures: as Publisher::publish. What is short takes one line of the two.
inline Result<void> publish_call(CallPublisher& publisher, const CallHead& head, const Outgoing& out,
                                 Deadline deadline) {
  constexpr std::size_t one_line = MessageEntry<5>::words - CallHead::words;
  const auto publish = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
    std::array<std::uint64_t, CallHead::words + N> words;
    std::ranges::copy(head.packed(), words.begin());
    std::copy_n(out.words.begin(), N, words.begin() + CallHead::words);
    return publisher.publish_entry(words, out.bytes, out.chunk, deadline);
  };
  if (out.chunk) {
    return publish(std::integral_constant<std::size_t, 1>());
  }
  return out.bytes <= one_line * sizeof(std::uint64_t) ? publish(std::integral_constant<std::size_t, one_line>())
                                                       : publish(std::integral_constant<std::size_t, payload_words>());
}

/// A payload that was received: a copy of what stood in the entry, or held in its sender's memory until it goes.
class HeldPayload {
 public:
  using Copy = CallSubscriber::Copy<CallEntry::words>;

  HeldPayload() noexcept = default;
  /// A copy of what stood in the entry. Nothing is held yet.
  void copy_from(const Copy& copy, std::uint64_t bytes) noexcept {
    std::memcpy(copy_.data(), copy.word.data() + CallHead::words, most_inline_payload);
    size_ = bytes;
  }
  /// What was pinned. Nothing is held yet.
  void hold(CallSubscriber& port, CallSubscriber::Connection& from, const CallSubscriber::Pinned& pinned) noexcept {
    port_ = &port;
    from_ = &from;
    pin_ = pinned.pin;
    chunk_ = pinned.message.data();
    size_ = pinned.message.size();
  }
  HeldPayload(HeldPayload&& other) noexcept
      : port_(other.port_),
        from_(other.from_),
        pin_(std::exchange(other.pin_, nullptr)),
        chunk_(other.chunk_),
        size_(other.size_) {
    take_copy(other);
  }
  HeldPayload& operator=(HeldPayload&& other) noexcept {
    if (this != &other) {
      release();
      port_ = other.port_;
      from_ = other.from_;
      pin_ = std::exchange(other.pin_, nullptr);
      chunk_ = other.chunk_;
      size_ = other.size_;
      take_copy(other);
    }
    return *this;
  }
  HeldPayload(const HeldPayload&) = delete;
  HeldPayload& operator=(const HeldPayload&) = delete;
  ~HeldPayload() { release(); }

  Bytes bytes() const noexcept { return {chunk_ != nullptr ? chunk_ : copy_.data(), size_}; }
  void release() noexcept {
    if (pin_ != nullptr) {
      port_->unpin(*from_, *std::exchange(pin_, nullptr));
    }
  }

 private:
  void take_copy(const HeldPayload& other) noexcept {
    if (chunk_ == nullptr) {
      copy_ = other.copy_;
    }
  }

  CallSubscriber* port_ = nullptr;
  CallSubscriber::Connection* from_ = nullptr;
  std::atomic<std::uint32_t>* pin_ = nullptr;
  const std::byte* chunk_ = nullptr;
  std::size_t size_ = 0;
  alignas(cache_line) std::array<std::byte, most_inline_payload> copy_;
};

/// What came of a look at a payload.
enum class PayloadTaken : std::uint8_t {
  whole,      ///< it is there, and `into` has it
  overtaken,  ///< look again
  unsound,    ///< it cannot be one of its type
  full,       ///< so many are held already
};

/// Takes hold of the payload of the entry that was looked at.
inline PayloadTaken take_payload(CallSubscriber& port, CallSubscriber::Connection& from, const HeldPayload::Copy& copy,
                                 const PayloadRule& rule, HeldPayload& into) {
  const MessageAbout about = MessageAbout::unpack(copy.about);
  if (!rule.is_sound(about.bytes)) {
    return PayloadTaken::unsound;
  }
  if (about.form == MessageForm::inline_words) {
    if (about.bytes > most_inline_payload) {
      return PayloadTaken::unsound;
    }
    into.copy_from(copy, about.bytes);
    return PayloadTaken::whole;
  }
  if (about.form != MessageForm::chunk || !rule.in_chunks) {
    return PayloadTaken::unsound;
  }
  auto pinned = port.pin(from, copy.word[CallHead::words], about.bytes);
  if (!pinned) {
    return pinned.failed_with(Errc::stale)           ? PayloadTaken::overtaken
           : pinned.failed_with(Errc::limit_reached) ? PayloadTaken::full
                                                     : PayloadTaken::unsound;
  }
  into.hold(port, from, *pinned);
  return PayloadTaken::whole;
}

}  // namespace tenon
