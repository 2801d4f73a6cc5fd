#pragma once
/// The latest value of one thing: one writes, any number read without writing. In two copies, so that a writer's death
/// never shows and never blocks. After Hans Boehm, "Can seqlocks get along with programming language memory models?",
/// MSPC 2012.
///
/// 1. Roles. One writer at a time (a mutex decides between several); any number of readers, which may map it read-only.
/// 2. Layout.
///
///        byte 0           64                     64 + 8 × words
///             | state u64 | word of copy 0 u64 … | word of copy 1 u64 … |
///
/// 3. Invariants. I1: the state is twice the number of values stored, and one more while the next is being written. I2:
///    copy `number mod 2` holds value `number` whole, and is not written before the value after the next. I3: the state
///    may wrap.
/// 4. Edges.
///      S1  store-release of the state, whole, and again when the next is begun, since a plain store ends what a
///      release
///          began (write) → load-acquire (read): publishes the words of the newest whole copy.
///      S2  fence-release after the state, writing (write) → fence-acquire after the words (read): who has seen a word
///          of the value after the next sees that its writing has begun.
/// 5. Progress. write() is wait-free. try_read() is wait-free and fails only if a whole write and the beginning of
///    another fell into it; read() is lock-free.
/// 6. If a process dies here. The writer before the last store of the state: the value was never stored, readers see
/// the
///    one before, and the next writer writes over the copy that nobody reads. Nothing needs a repair.
/// 7. Use instead. A blackboard for many keys, waiting and large values; broadcast_ring where each value counts.
#include <tenon/base/cache_line.hpp>
#include <tenon/base/fence.hpp>

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
    const std::uint64_t next = state_.load(std::memory_order_relaxed) / 2 + 1;  // own: only the writer writes it
    state_.store(2 * next - 1, std::memory_order_release);                      // S1; and S2, by the fence after it
    thread_fence(state_, std::memory_order_release);                            // S2
    for (std::size_t i = 0; i < words; ++i) {
      copies_[next % 2][i].store(copy[i], std::memory_order_relaxed);  // S1 after, S2 before
    }
    state_.store(2 * next, std::memory_order_release);  // S1
  }

  /// False if it was overtaken: `into` is as it was.
  bool try_read(T& into) const noexcept {
    const std::uint64_t number = state_.load(std::memory_order_acquire) / 2;  // S1
    std::array<std::uint64_t, words> copy;
    for (std::size_t i = 0; i < words; ++i) {
      copy[i] = copies_[number % 2][i].load(std::memory_order_relaxed);  // S1 before, S2 after
    }
    thread_fence(state_, std::memory_order_acquire);                // S2
    if (state_.load(std::memory_order_relaxed) - 2 * number > 2) {  // S2, by the fence before it
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
  std::uint64_t version() const noexcept { return state_.load(std::memory_order_acquire) / 2; }  // S1

 private:
  alignas(cache_line) Atomic<std::uint64_t> state_{0};
  alignas(cache_line) std::array<Atomic<std::uint64_t>, words> copies_[2]{};
};

}  // namespace tenon
