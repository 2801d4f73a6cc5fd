#pragma once
/// The order of what is queued: a heap of ranks in shared memory. Williams, 1964.
///
/// Whoever uses it holds the lock, and whoever finds it half-changed makes it anew. Nothing that stands there is
/// believed: a count beyond the room, or a slot that there is none of, are for the caller to refuse.
#include <tenon/messaging/queue/queue_layout.hpp>

#include <atomic>
#include <cstdint>
#include <span>
#include <utility>

namespace tenon {

/// Whether one comes before the other: the higher priority, then the earlier. Numbers are compared by their difference:
/// they may wrap.
constexpr bool comes_before(const QueueRank& one, const QueueRank& other) noexcept {
  return one.priority != other.priority ? one.priority > other.priority
                                        : static_cast<std::int64_t>(one.seq - other.seq) < 0;
}

/// A view.
class RankHeap {
 public:
  RankHeap(std::span<QueueRank> ranks, std::atomic<std::uint32_t>& count) noexcept : ranks_(ranks), count_(&count) {}

  std::uint32_t size() const noexcept { return count_->load(std::memory_order_relaxed); }  // under the lock
  bool is_sound() const noexcept { return size() <= ranks_.size(); }
  void clear() noexcept { set_size(0); }
  const QueueRank& first() const noexcept { return ranks_[0]; }

  /// False if there is no room: each slot is there once, so some of it is garbage.
  bool push(const QueueRank& rank) noexcept {
    std::size_t at = size();
    if (at >= ranks_.size()) {
      return false;
    }
    while (at > 0 && comes_before(rank, ranks_[(at - 1) / 2])) {
      ranks_[at] = ranks_[(at - 1) / 2];
      at = (at - 1) / 2;
    }
    ranks_[at] = rank;
    set_size(size() + 1);
    return true;
  }
  /// Takes the first away; there is one.
  void pop() noexcept {
    const std::size_t left = size() - 1;
    const QueueRank last = ranks_[left];
    std::size_t at = 0;
    for (std::size_t below = 1; below < left; below = 2 * at + 1) {
      const bool right = below + 1 < left && comes_before(ranks_[below + 1], ranks_[below]);
      const std::size_t next = below + (right ? 1 : 0);
      if (!comes_before(ranks_[next], last)) {
        break;
      }
      ranks_[at] = ranks_[next];
      at = next;
    }
    ranks_[at] = last;
    set_size(static_cast<std::uint32_t>(left));
  }

 private:
  // relaxed: who asks without the lock sees by `drains` whether to believe it (queue_slots.hpp, Q5)
  void set_size(std::uint32_t size) noexcept { count_->store(size, std::memory_order_relaxed); }

  std::span<QueueRank> ranks_;
  std::atomic<std::uint32_t>* count_;
};

}  // namespace tenon
