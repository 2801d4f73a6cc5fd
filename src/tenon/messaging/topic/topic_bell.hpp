#pragma once
/// What a topic's sleepers sleep on: one word for who waits for messages, one for publishers that wait for room.
///
/// 1. Roles. Any endpoint of the topic rings and sleeps. The bell's page is the only one with several writers; what
///    stands there decides about sleeping and waking alone, never about what is read or where.
/// 2. Layout. topic_layout.hpp. A word is a bit, "somebody sleeps", and 31 bits of an epoch, which wraps.
///
///        bit 31 … 1   0
///        | epoch    | asleep |
///
/// 3. Invariants. I1: who announces, then finds no news, then sleeps while the word is what announce() returned, is
///    woken by what is published after that. I2: the word only ever grows by one, so a value that a sleeper was told is
///    not there again until 2³² steps later, however many ring and sleep.
/// 4. Edges.
///      B1  fetch_or (announce); fence-seq_cst; look for news ↔ news; fence-seq_cst; load (is_wanted): of sleeper and
///          ringer at least one sees the other. The ringer's fence is as a rule made by the sleeper, with
///          membarrier(2), for all processes that have registered for it; a ringer that could not register makes its
///          own. Who polls stores what it was told into its file between the two, which the ringer loads after the
///          bell: who is not found there sees the news.
///      B2  compare-exchange (silence), wake ↔ the kernel compares the word and puts to sleep, in one step: a sleeper
///          that announced before is woken or does not fall asleep.
/// 5. Progress. Ringing is wait-free: one load where nobody sleeps, else one compare-exchange and one
///    system call.
/// 6. If a process dies here. A sleeper: its bit costs one wake in vain. A ringer between its news and its wake: who
///    sleeps looks again within recheck_interval (os/futex). Who writes garbage here: wakes in vain, or a sleep that
///    lasts until the recheck.
/// 7. Use instead. sync/bell, between processes that trust each other.
#include <tenon/base/fence.hpp>

#include <atomic>
#include <cstdint>

namespace tenon {

template <template <class> class Atomic = std::atomic>
class BellWord {
 public:
  /// Says that one is about to sleep; returns what to sleep by. A barrier and another look for news follow.
  std::uint32_t announce() noexcept {
    return word_.fetch_or(asleep, std::memory_order_relaxed) | asleep;  // B1, by the barrier after it
  }
  /// Whether somebody sleeps, asked after the news and a barrier.
  bool is_wanted() const noexcept {
    return (word_.load(std::memory_order_relaxed) & asleep) != 0;  // B1, by a barrier on either side
  }
  /// Before the wake of all, which follows also where another was quicker: that one may have died before its own.
  /// Returns what those were told who announced themselves last; 0 where nobody has yet.
  std::uint32_t silence() noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_relaxed);  // no older than what is_wanted() saw
    if ((seen & asleep) == 0) {
      return seen == 0 ? 0 : seen - 1;  // 2³¹ wakes later it is 0 once more, and who is missed then has its recheck
    }
    std::uint32_t told = seen;
    // No loop: who fails was forestalled, and the word is another already.
    word_.compare_exchange_strong(told, seen + 1, std::memory_order_relaxed,
                                  std::memory_order_relaxed);  // B2, which the kernel orders
    return seen;
  }
  /// Whether nobody has rung since announce() returned this.
  bool is_quiet_since(std::uint32_t told) const noexcept {
    return word_.load(std::memory_order_relaxed) == told;  // a look for news follows, or one was made
  }
  /// For futex(2).
  const Atomic<std::uint32_t>& word() const noexcept { return word_; }

 private:
  static constexpr std::uint32_t asleep = 1;
  Atomic<std::uint32_t> word_{0};
};
static_assert(sizeof(BellWord<>) == 4);

/// The sleeper's, between announce() and its look for news; membarrier(2) comes beside it.
template <template <class> class Atomic>
void fence_before_looking(const Atomic<std::uint32_t>& word) noexcept {
  thread_fence(word, std::memory_order_seq_cst);  // B1
}
/// That of a ringer that is not registered for the sleepers' membarrier, between its news and is_wanted().
template <template <class> class Atomic>
void fence_before_ringing(const Atomic<std::uint32_t>& word) noexcept {
  thread_fence(word, std::memory_order_seq_cst);  // B1
}

}  // namespace tenon
