#pragma once
/// An entry of a topic's ring, and what it says of its message. Plain C; message_ring.hpp has the picture, and who may
/// write it when.
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tenon {

enum class MessageForm : std::uint8_t { inline_words = 1, chunk = 2 };

/// What an entry says of its message, packed into a word.
struct MessageAbout {
  static constexpr std::uint64_t most_bytes = (std::uint64_t{1} << 40) - 1;

  std::uint64_t bytes = 0;
  std::uint16_t processor = 0;  ///< on which it was published
  MessageForm form = MessageForm::inline_words;

  constexpr std::uint64_t packed() const noexcept {
    return (bytes & most_bytes) | std::uint64_t{processor} << 40 | std::uint64_t{static_cast<std::uint8_t>(form)} << 56;
  }
  static constexpr MessageAbout unpack(std::uint64_t word) noexcept {
    return {.bytes = word & most_bytes,
            .processor = static_cast<std::uint16_t>(word >> 40),
            .form = static_cast<MessageForm>(word >> 56)};
  }
};

template <std::size_t Words, template <class> class Atomic = std::atomic>
struct alignas(Words == 5 ? 64 : 128) MessageEntry {
  static constexpr std::size_t words = Words;
  static constexpr std::size_t inline_bytes = Words * sizeof(std::uint64_t);  ///< of a message within it
  Atomic<std::uint64_t> number{0};
  Atomic<std::uint64_t> time{0};
  Atomic<std::uint64_t> about{0};
  Atomic<std::uint64_t> word[Words];
};
static_assert(sizeof(MessageEntry<5>) == 64 && sizeof(MessageEntry<13>) == 128);
static_assert(offsetof(MessageEntry<5>, time) == 8 && offsetof(MessageEntry<5>, about) == 16);
static_assert(offsetof(MessageEntry<5>, word) == 24 && std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace tenon
