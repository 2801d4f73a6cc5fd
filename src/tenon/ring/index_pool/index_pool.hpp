#pragma once
/// Which of N things are free: any number of threads take and give indices. After R. Kent Treiber's stack (IBM RJ 5118,
/// 1986), with a count against reuse.
///
/// 1. Roles. Any thread of any process that maps the memory takes, and gives what it has; rebuild() is for one who
/// knows
///    that nobody else is at it.
/// 2. Layout. base/shared_array.hpp; own word: `top`, on a line of its own. An element is the next free index plus one.
///
///        byte 0       64                                     128
///             | array | top: changes u32 | index + 1 u32 | … | next + 1 u32 | next + 1 | …
///
/// 3. Invariants. I1: from `top` along the elements stand all free indices, each once, to 0. I2: each change of `top`
///    counts in its upper half, so that who compares it is not deceived by an index that has come back (2^32 changes in
///    between would be needed). I3: an index is nobody's, in the list, or its taker's.
/// 4. Edges.
///      S1  compare-exchange-release of `top` (give) → load-acquire, compare-exchange-acquire (take): publishes the
///          element, and what was done with the thing before.
/// 5. Progress. Lock-free.
/// 6. If a process dies here. Before its exchange in take: nothing. After it: the index stays its, until somebody who
///    knows what the dead held gives it back. In give, before the exchange: likewise. rebuild() makes the list anew
///    from what the caller knows to be in use.
/// 7. Use instead. The segment's allocator for pieces of any size; mpmc_ring of indices where the oldest shall be taken
///    first, which caches like better for things of 16 KiB to 8 MiB in all.
#include <tenon/base/shared_array.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tenon {

/// A view: copies stand for the same pool.
template <template <class> class Atomic = std::atomic>
class IndexPool {
 public:
  struct Header {
    ArrayHeader array;
    alignas(cache_line) Atomic<std::uint64_t> top{0};
  };
  using Link = Atomic<std::uint32_t>;
  using Array = SharedArray<Header, Link>;
  static constexpr ArrayKind kind = Array::kind_of("index pool", 0x31475049'4e4e5454, 1);

  /// What `count` indices take. Failures: invalid_argument (no power of two).
  static Result<std::size_t> bytes_for(std::uint64_t count) { return bytes_of_array(kind, count); }
  /// All indices from 0 to count − 1 are free, in memory that nobody else sees yet. Failures: invalid_argument (too
  /// small, not on a line, no power of two, more than 2^31).
  static Result<IndexPool> initialise(MutableBytes memory, std::uint64_t count) {
    if (count > std::uint64_t{1} << 31) {
      return fail(Error(Errc::invalid_argument).on(kind.name).because("has at most 2^31 indices"));
    }
    return Array::initialise(kind, memory, count).transform([](Array array) {
      return IndexPool(array.header(), array.elements());
    });
  }
  /// The pool that another has made there. Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<IndexPool> open(MutableBytes memory) {
    return Array::open(kind, memory).transform([](Array array) { return IndexPool(array); });
  }
  /// A pool out of parts of one's own that nobody else sees yet.
  IndexPool(Header& header, std::span<Link> links) noexcept : array_(header, links) {
    rebuild([](std::uint32_t) { return false; });
  }

  /// Nothing when none is free.
  std::optional<std::uint32_t> take() noexcept {
    std::uint64_t top = array_.header().top.load(std::memory_order_acquire);  // S1
    while (true) {
      const std::uint32_t index = static_cast<std::uint32_t>(top) - 1;
      if (index >= array_.elements().size()) {  // 0, which is the end of the list, or what nobody here wrote
        return std::nullopt;
      }
      // relaxed: it came with `top`; if it is another's by now, the exchange fails
      const std::uint32_t next = array_.elements()[index].load(std::memory_order_relaxed);
      if (array_.header().top.compare_exchange_weak(top, changed(top, next), std::memory_order_acquire,  // S1
                                                    std::memory_order_acquire)) {
        return index;
      }
    }
  }
  /// Gives back what was taken.
  void give(std::uint32_t index) noexcept {
    std::uint64_t top = array_.header().top.load(std::memory_order_relaxed);  // a guess: the exchange decides
    do {
      // relaxed: S1 publishes it
      array_.elements()[index].store(static_cast<std::uint32_t>(top), std::memory_order_relaxed);
    } while (!array_.header().top.compare_exchange_weak(top, changed(top, index + 1), std::memory_order_release,  // S1
                                                        std::memory_order_relaxed));
  }
  /// Makes all indices free but those that are in use. Nobody else may use the pool meanwhile; who dies in it begins
  /// anew.
  template <class InUse>
  void rebuild(InUse in_use) noexcept {
    std::uint32_t first = 0;
    for (auto i = static_cast<std::uint32_t>(array_.elements().size()); i > 0; --i) {
      if (!in_use(i - 1)) {
        array_.elements()[i - 1].store(first, std::memory_order_relaxed);  // alone: nobody else uses the pool meanwhile
        first = i;
      }
    }
    const std::uint64_t top =
        array_.header().top.load(std::memory_order_relaxed);  // alone: nobody else uses the pool meanwhile
    array_.header().top.store(changed(top, first), std::memory_order_release);  // S1
  }
  std::uint64_t count() const noexcept { return array_.elements().size(); }

 private:
  explicit IndexPool(Array array) noexcept : array_(array) {}
  static constexpr std::uint64_t changed(std::uint64_t top, std::uint32_t to) noexcept {
    return ((top >> 32) + 1) << 32 | to;
  }

  Array array_;
};

}  // namespace tenon
