#pragma once
/// Which blocks of the arena are taken: a bit for each. Room is looked for from where the last one ended, so that
/// messages which come and go in their order find it at once.
///
/// Whoever uses it holds the lock, and whoever finds it half-changed makes it anew from the slots.
#include <bit>
#include <cstdint>
#include <optional>
#include <span>

namespace tenon {

/// A view.
class BlockMap {
 public:
  BlockMap(std::span<std::uint64_t> words, std::uint32_t blocks) noexcept : words_(words), blocks_(blocks) {}

  void clear() noexcept {
    for (std::uint64_t& word : words_) {
      word = 0;
    }
  }
  /// `first + count` is no more than there are.
  void take(std::uint32_t first, std::uint32_t count) noexcept {
    for_each_word(first, count, [](std::uint64_t& word, std::uint64_t bits) { word |= bits; });
  }
  void give_back(std::uint32_t first, std::uint32_t count) noexcept {
    for_each_word(first, count, [](std::uint64_t& word, std::uint64_t bits) { word &= ~bits; });
  }
  std::uint32_t taken() const noexcept {
    std::uint32_t bits = 0;
    for (const std::uint64_t word : words_) {
      bits += static_cast<std::uint32_t>(std::popcount(word));
    }
    return bits;
  }
  /// The first of so many free ones in a row: the next from `from` on, or else from the beginning.
  std::optional<std::uint32_t> find(std::uint32_t count, std::uint32_t from) const noexcept {
    if (count > blocks_) {
      return std::nullopt;
    }
    const std::uint32_t start = from < blocks_ ? from : 0;
    const auto found = find_in(count, start, blocks_);
    return found || start == 0 ? found : find_in(count, 0, blocks_);
  }

 private:
  template <class Change>
  void for_each_word(std::uint32_t first, std::uint32_t count, Change change) noexcept {
    while (count > 0) {
      const std::uint32_t bit = first % 64;
      const std::uint32_t here = count < 64 - bit ? count : 64 - bit;
      change(words_[first / 64], (here == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << here) - 1) << bit);
      first += here;
      count -= here;
    }
  }
  // From `at` on, the first that is as is asked; `end` where there is none.
  std::uint32_t next(bool taken, std::uint32_t at, std::uint32_t end) const noexcept {
    while (at < end) {
      const std::uint64_t word = (taken ? words_[at / 64] : ~words_[at / 64]) >> (at % 64);
      if (word != 0) {
        const std::uint32_t found = at + static_cast<std::uint32_t>(std::countr_zero(word));
        return found < end ? found : end;
      }
      at = (at / 64 + 1) * 64;
    }
    return end;
  }
  std::optional<std::uint32_t> find_in(std::uint32_t count, std::uint32_t begin, std::uint32_t end) const noexcept {
    for (std::uint32_t first = next(false, begin, end); end - first >= count && first < end;) {
      const std::uint32_t after = next(true, first, first + count);
      if (after == first + count) {
        return first;
      }
      first = next(false, after, end);
    }
    return std::nullopt;
  }

  std::span<std::uint64_t> words_;
  std::uint32_t blocks_;
};

}  // namespace tenon
