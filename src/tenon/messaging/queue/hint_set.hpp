#pragma once
/// Which of many slots may be worth a look: a bit for each, and above each 64 bits one more, up to a line of words.
///
/// 1. Roles. Anybody sets a bit and takes one. take_all() is for one at a time.
/// 2. Layout. The topmost words, and those of all levels below them, the lowest first: queue_layout.hpp, hint_words().
/// 3. Invariants. I1: after set(i) has returned, some take of it has begun later, or the bits on the way from the top
///    to i are there. A bit that is set though there is nothing costs a look.
/// 4. Edges.
///      H1  fetch_or of a word, then of its parent's (set) ↔ the parent's bit cleared, then the word taken (take): all
///          sequentially consistent, so of the two at least one sees the other; the bit that names a word is set again
///          if the word was not empty. Publishes what the setter did before.
/// 5. Progress. set() is wait-free; taking is lock-free.
/// 6. If a process dies here. Between a word and its parent, either way: the words below are not found from the top
///    until one of their bits is set, be it there or not: has() looks all the way up.
/// 7. Use instead. index_pool, where what is handed out is not looked at again.
#include <tenon/messaging/queue/queue_layout.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>

namespace tenon {

/// A view. `words` is what hint_words(slots) counts.
template <template <class> class Atomic = std::atomic>
class HintSet {
 public:
  using Word = Atomic<std::uint64_t>;

  /// As many words at the top as are needed, and no more than there are.
  HintSet(std::span<Word> top, Word* words, std::uint32_t slots) noexcept {
    std::uint32_t size = (slots + 63) / 64;
    for (; size > top.size(); size = (size + 63) / 64) {
      sizes_[top_] = size;
      levels_[top_++] = words;
      words += size;
    }
    sizes_[top_] = size;
    levels_[top_] = top.data();
  }
  /// With one word at the top.
  HintSet(Word& root, Word* words, std::uint32_t slots) noexcept : HintSet(std::span(&root, 1), words, slots) {}

  void set(std::uint32_t slot) noexcept {
    std::uint32_t at = slot;
    for (std::uint32_t level = 0; level <= top_; ++level, at /= 64) {
      const std::uint64_t bit = std::uint64_t{1} << (at % 64);
      Word& word = levels_[level][at / 64];
      // What is above was there for the word's other bits, or its taker looks at the word after taking that away.
      if (level == 0 || (word.load(std::memory_order_seq_cst) & bit) == 0) {  // H1
        word.fetch_or(bit, std::memory_order_seq_cst);                        // H1
      }
    }
  }
  /// Whether it is found from the top: else it is to be set, also if nothing but the way to it is missing.
  bool has(std::uint32_t slot) const noexcept {
    std::uint32_t at = slot;
    for (std::uint32_t level = 0; level <= top_; ++level, at /= 64) {
      if ((levels_[level][at / 64].load(std::memory_order_seq_cst) >> (at % 64) & 1U) == 0) {  // H1
        return false;
      }
    }
    return true;
  }
  bool is_empty() const noexcept {
    std::uint64_t any = 0;
    for (std::uint32_t i = 0; i < sizes_[top_]; ++i) {
      any |= bits_of(top_, i);
    }
    return any == 0;
  }

  /// How many there are, as far as one look at the top tells: of words with some, where it stands above words.
  std::uint32_t seen_at_top() const noexcept {
    int bits = 0;
    for (std::uint32_t i = 0; i < sizes_[top_]; ++i) {
      bits += std::popcount(bits_of(top_, i));
    }
    return static_cast<std::uint32_t>(bits);
  }
  /// One that is set, and stays.
  std::optional<std::uint32_t> first() const noexcept {
    const Path path = find_one();
    return path.found ? std::optional(path.slot) : std::nullopt;
  }
  /// Takes one bit away, the lowest; nothing where none is found.
  std::optional<std::uint32_t> take_one() noexcept {
    while (true) {
      const Path path = find_one();
      if (path.found) {
        const std::uint64_t bit = std::uint64_t{1} << (path.slot % 64);
        const std::uint64_t before = levels_[0][path.slot / 64].fetch_and(~bit, std::memory_order_seq_cst);  // H1
        if (before == bit) {
          clear_parents(path.slot / 64, 1);
        }
        if ((before & bit) != 0) {
          return path.slot;
        }
      } else if (path.level > top_) {
        return std::nullopt;
      } else {
        clear_parents(path.slot, path.level);  // an empty word, which its parent had not heard of
      }
    }
  }
  /// Takes all away that were set before this, and calls `use` with each.
  template <class Use>
  void take_all(Use use) noexcept {
    for (std::uint32_t i = 0; i < sizes_[top_]; ++i) {
      if (bits_of(top_, i) != 0) {
        take_below(top_, i, use);
      }
    }
  }

 private:
  static constexpr std::size_t most_levels = 6;

  struct Path {
    bool found;
    std::uint32_t slot;   // or the number of an empty word
    std::uint32_t level;  // that stands on this level's bits; beyond the top: there is nothing at all
  };
  Path find_one() const noexcept {
    for (std::uint32_t first = 0; first < sizes_[top_]; ++first) {
      // Loaded once: who finds it empty a moment later goes on to the next.
      if (const std::uint64_t word = bits_of(top_, first); word != 0) {
        return find_below(first * 64 + static_cast<std::uint32_t>(std::countr_zero(word)));
      }
    }
    return {.found = false, .slot = 0, .level = top_ + 1};
  }
  // `at` is the bit that was found in the top.
  Path find_below(std::uint32_t at) const noexcept {
    for (std::uint32_t level = top_; level-- > 0;) {
      const std::uint64_t word = bits_of(level, at);
      if (word == 0) {
        return {.found = false, .slot = at, .level = level + 1};
      }
      at = at * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
    }
    return {.found = true, .slot = at, .level = 0};
  }
  // A word that there is none of, as garbage above it says, is empty.
  std::uint64_t bits_of(std::uint32_t level, std::uint32_t word) const noexcept {
    return word < sizes_[level] ? levels_[level][word].load(std::memory_order_seq_cst) : 0;  // H1
  }
  // The bits that name `word` of the level below `level`, as far up as nothing is left, but for what comes meanwhile.
  void clear_parents(std::uint32_t word, std::uint32_t level) noexcept {
    for (; level <= top_; ++level, word /= 64) {
      const std::uint64_t bit = std::uint64_t{1} << (word % 64);
      const std::uint64_t before = levels_[level][word / 64].fetch_and(~bit, std::memory_order_seq_cst);  // H1
      if (bits_of(level - 1, word) != 0) {
        set_again(word, level);
        return;
      }
      if ((before & ~bit) != 0) {
        return;
      }
    }
  }
  void set_again(std::uint32_t at, std::uint32_t level) noexcept {
    for (; level <= top_; ++level, at /= 64) {
      levels_[level][at / 64].fetch_or(std::uint64_t{1} << (at % 64), std::memory_order_seq_cst);  // H1
    }
  }
  template <class Use>
  void take_below(std::uint32_t level, std::uint32_t word, Use& use) noexcept {
    std::uint64_t bits = levels_[level][word].exchange(0, std::memory_order_seq_cst);  // H1
    for (; bits != 0; bits &= bits - 1) {
      const std::uint32_t below = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      if (level == 0) {
        use(below);
      } else if (below < sizes_[level - 1]) {  // else garbage
        take_below(level - 1, below, use);
      }
    }
  }

  std::array<Word*, most_levels> levels_{};
  std::array<std::uint32_t, most_levels> sizes_{};  // words of each
  std::uint32_t top_ = 0;                           // the highest level
};

}  // namespace tenon
