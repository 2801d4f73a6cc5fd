#pragma once
/// The latest value in several copies, in memory that is handed in: what sequence locks are made of. After Hans Boehm,
/// "Can seqlocks get along with programming language memory models?", MSPC 2012.
///
/// 1. Roles. One writer at a time (a mutex decides between several); any number of readers, which may map it read-only.
/// 2. Layout. Where its owner puts them: a state, and `copies` rows of words, `stride` words apart.
///
///        state u64 … | copy 0: word u64 … | copy 1: word u64 … | …
///
/// 3. Invariants. I1: the state is twice the number of values stored, and one more while the next is being written. I2:
///    copy `number mod copies` holds value `number` whole, and is not written before value `number + copies` is. I3:
///    the state may wrap.
/// 4. Edges.
///      S1  store-release of the state, whole, and again when the next is begun, since a plain store ends what a
///          release began (write) → load-acquire (number): publishes the words of the newest whole copy.
///      S2  fence-release after the state, writing (write) → fence-acquire after the words (read): who has seen a word
///          of a later value in the same copy sees that its writing has begun.
/// 5. Progress. write() and read() are wait-free; read() fails only if copies - 1 whole writes and the beginning of
///    another fell into it.
/// 6. If a process dies here. The writer before the last store of the state: the value was never stored, readers see
///    the one before, and the next writer writes over the copy that nobody reads. Nothing needs a repair.
/// 7. Use instead. SequenceLock for one value of one type; a blackboard for many keys.
#include <tenon/base/fence.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tenon {

/// Borrows a state and the words of all copies, of which there are a power of two, at least two.
template <template <class> class Atomic = std::atomic>
class SequencedCopies {
 public:
  using Word = Atomic<std::uint64_t>;

  SequencedCopies(Word& state, Word* words, std::size_t stride, std::uint64_t copies) noexcept
      : state_(state), words_(words), stride_(stride), mask_(copies - 1) {}

  /// The newest that is whole; 0 where there is none yet.
  std::uint64_t number() const noexcept { return state_.load(std::memory_order_acquire) / 2; }  // S1

  /// For the one writer: the next value, whose word `i` is `word_at(i)`.
  template <class WordAt>
  [[gnu::always_inline]] void write(std::size_t words, WordAt word_at) noexcept {
    const std::uint64_t next = state_.load(std::memory_order_relaxed) / 2 + 1;  // own: only the writer writes it
    state_.store(2 * next - 1, std::memory_order_release);                      // S1; and S2, by the fence after it
    thread_fence(state_, std::memory_order_release);                            // S2
    Word* const copy = copy_of(next);
    for (std::size_t i = 0; i < words; ++i) {
      copy[i].store(word_at(i), std::memory_order_relaxed);  // S1 after, S2 before
    }
    state_.store(2 * next, std::memory_order_release);  // S1
  }

  /// Gives each word of value `number`, the newest or one of the copies - 2 before it, to `take(i, word)`. False if it
  /// was overtaken: what was taken is of several values.
  template <class Take>
  [[gnu::always_inline]] bool read(std::uint64_t number, std::size_t words, Take take) const noexcept {
    const Word* const copy = copy_of(number);
    for (std::size_t i = 0; i < words; ++i) {
      take(i, copy[i].load(std::memory_order_relaxed));  // S1 before, S2 after
    }
    thread_fence(state_, std::memory_order_acquire);                          // S2
    return state_.load(std::memory_order_relaxed) - 2 * number <= 2 * mask_;  // S2, by the fence before it
  }

 private:
  Word* copy_of(std::uint64_t number) const noexcept { return words_ + (number & mask_) * stride_; }

  Word& state_;
  Word* words_;
  std::size_t stride_;
  std::uint64_t mask_;
};

}  // namespace tenon
