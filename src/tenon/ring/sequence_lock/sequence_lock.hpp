#pragma once
/// The latest value of one thing: one writes, any number read without writing. In two copies, so that a writer's death
/// never shows and never blocks.
///
/// 1. Roles. One writer at a time (a mutex decides between several); any number of readers, which may map it read-only.
/// 2. Layout.
///
///        byte 0           64                     64 + 8 × words
///             | state u64 | word of copy 0 u64 … | word of copy 1 u64 … |
///
/// 3. Invariants. Those of SequencedCopies, with two copies.
/// 4. Edges. Those of SequencedCopies.
/// 5. Progress. write() is wait-free. try_read() is wait-free and fails only if a whole write and the beginning of
///    another fell into it; read() is lock-free.
/// 6. If a process dies here. As with SequencedCopies: a value that its writer did not store whole was never stored,
///    and nothing needs a repair.
/// 7. Use instead. A blackboard for many keys, waiting and large values; broadcast_ring where each value counts.
#include <tenon/base/cache_line.hpp>
#include <tenon/ring/sequence_lock/sequenced_copies.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tenon {

/// Stands in shared memory itself; as made, it holds a T of zero bytes, which version() 0 tells.
template <class T, template <class> class Atomic = std::atomic>
  requires std::is_trivially_copyable_v<T>
class SequenceLock {
 public:
  static constexpr std::size_t words = (sizeof(T) + 7) / 8;

  SequenceLock() noexcept = default;
  SequenceLock(const SequenceLock&) = delete;
  SequenceLock& operator=(const SequenceLock&) = delete;

  /// For the one writer.
  void write(const T& value) noexcept {
    std::array<std::uint64_t, words> copy{};
    std::memcpy(copy.data(), &value, sizeof value);
    copies().write(words, [&copy](std::size_t i) { return copy[i]; });
  }

  /// False if it was overtaken: `into` is as it was.
  bool try_read(T& into) const noexcept {
    std::array<std::uint64_t, words> copy;
    const auto take = [&copy](std::size_t i, std::uint64_t word) { copy[i] = word; };
    if (!copies().read(copies().number(), words, take)) {
      return false;
    }
    std::memcpy(static_cast<void*>(&into), copy.data(), sizeof into);
    return true;
  }
  /// Tries until it is not overtaken.
  T read() const noexcept {
    T value;
    while (!try_read(value)) {
    }
    return value;
  }
  /// How many values have been stored.
  std::uint64_t version() const noexcept { return copies().number(); }

 private:
  // Readers write nothing through it.
  SequencedCopies<Atomic> copies() const noexcept { return {state_, words_, words, 2}; }

  alignas(cache_line) mutable Atomic<std::uint64_t> state_{0};
  alignas(cache_line) mutable Atomic<std::uint64_t> words_[2 * words]{};
};

}  // namespace tenon
