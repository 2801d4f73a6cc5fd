#pragma once
/// What those sleep on of whom one is enough: receivers of a queue, and senders that wait for room.
///
/// 1. Roles. Any thread of any process rings and sleeps.
/// 2. Layout. One word: a bit, "somebody may sleep", and 31 bits of an epoch, which wraps.
///
///        bit 31 … 1   0
///        | epoch    | asleep |
///
/// 3. Invariants. I1: who announces, then finds no news, then sleeps while the word is what announce() returned, is
///    woken by as many rings, at the latest, as there are sleepers, or by recheck_interval. I2: the word only grows.
/// 4. Edges.
///      B1  news; load (ring_one) ↔ fetch_or (announce); look for news. All sequentially consistent: of sleeper and
///          ringer at least one sees the other. The news is an operation that is sequentially consistent too.
///      B2  compare-exchange (ring_one) ↔ the kernel compares the word and puts to sleep, in one step: who announced
///          before is asleep and may be woken, or does not fall asleep.
/// 5. Progress. Ringing is wait-free: one load where nobody sleeps, else one compare-exchange and one system call;
/// where
///    the last sleeper has gone, once two of each.
/// 6. If a process dies here. A sleeper: one wake in vain, or none, since the kernel wakes another. One that was woken,
///    before it took what it was woken for; a ringer between its news and its wake: who sleeps looks again within
///    recheck_interval.
/// 7. Use instead. sync/bell, which counts its sleepers; topic_bell, which wakes all.
#include <tenon/os/futex.hpp>

#include <atomic>
#include <cstdint>

namespace tenon {

class QueueBell {
 public:
  /// From another epoch than 0: for tests.
  explicit QueueBell(std::uint32_t first = 0) noexcept : word_(first & ~asleep) {}

  /// Says that one is about to sleep; returns what to sleep by. Another look for news follows.
  std::uint32_t announce() noexcept { return word_.fetch_or(asleep, std::memory_order_seq_cst) | asleep; }  // B1

  /// Wakes one of those who sleep, after the news.
  void ring_one() noexcept {
    if (std::uint32_t seen = word_.load(std::memory_order_seq_cst); (seen & asleep) != 0) [[unlikely]] {  // B1
      // The bit stays, for those whom this does not wake. Who fails was forestalled by one who changed the word as
      // well.
      word_.compare_exchange_strong(seen, seen + 2, std::memory_order_seq_cst);  // B2
      if (futex_wake(word_, 1) == 0) {
        ring_all();
      }
    }
  }
  /// Wakes all, who announce themselves anew.
  void ring_all() noexcept {
    if (std::uint32_t seen = word_.load(std::memory_order_seq_cst); (seen & asleep) != 0) {  // B1
      word_.compare_exchange_strong(seen, seen + 1, std::memory_order_seq_cst);              // B2
      futex_wake_all(word_);
    }
  }
  /// For futex(2).
  const std::atomic<std::uint32_t>& word() const noexcept { return word_; }

 private:
  static constexpr std::uint32_t asleep = 1;
  std::atomic<std::uint32_t> word_;
};
static_assert(sizeof(QueueBell) == 4);

}  // namespace tenon
