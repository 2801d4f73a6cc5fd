#pragma once
/// How far a publisher may go on without overwriting what a reliable subscriber has not read, also one that joins at
/// this very moment.
///
/// 1. Roles. The publisher, one thread at a time: a GateScan. Each reliable subscriber writes the gate in its own row
///    for this publisher; the publisher maps it read-only.
/// 2. Layout. A gate is a u64, the number of the next message that its subscriber wants; it stands in a row of the
///    subscriber's file (topic_layout.hpp), which is this publisher's once the row bears the publisher's token.
/// 3. Invariants. I1: the writer's limit is at most (head at the last scan) + depth, and at most (gate of each reliable
///    subscriber that the scan met) + depth. I2: a subscriber that a scan does not meet starts at that scan's head or
///    behind it. So what it starts at is not overwritten before the next scan, which meets it. I3: depth is at most the
///    number of entries.
/// 4. Edges.
///      G1  fence-seq_cst (begin), look who is there ↔ the file gets its name; fence-seq_cst (subscriber), look for the
///          head: either the scan meets the subscriber, or the subscriber sees all that was published before the scan.
///      G2  store-release of the gate (subscriber) → load-acquire (limit): the subscriber has read what lies before it,
///          and has pinned what it holds.
///      G3  store-release of the row's publisher, after its first gate → load-acquire (row_is_of): a row that bears the
///          token has a gate.
/// 5. Progress. A scan takes steps in the number of subscribers, once for as many messages as `depth` at most.
/// 6. If a process dies here. A subscriber that joins, before its file has its name: nobody knows it. After that,
///    without a row: it stands where it could have started at the earliest, and is waited for until it is seen to be
///    dead. The publisher: what it knew of gates is private, and gone.
/// 7. Use instead. ring/broadcast_ring, whose gates are known from the start.
#include <tenon/base/fence.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace tenon {

/// What a joiner does between its file getting its name and its look for the head.
template <template <class> class Atomic>
void fence_after_joining(const Atomic<std::uint64_t>& word) noexcept {
  thread_fence(word, std::memory_order_seq_cst);  // G1
}
template <template <class> class Atomic>
void set_gate(Atomic<std::uint64_t>& gate, std::uint64_t next) noexcept {
  gate.store(next, std::memory_order_release);  // G2
}
/// Hands a row, whose gate is set, to the publisher that has this token.
template <template <class> class Atomic>
void open_row(Atomic<std::uint64_t>& publisher, std::uint64_t token) noexcept {
  publisher.store(token, std::memory_order_release);  // G3
}
template <template <class> class Atomic>
bool row_is_of(const Atomic<std::uint64_t>& publisher, std::uint64_t token) noexcept {
  return publisher.load(std::memory_order_acquire) == token;  // G3
}

template <template <class> class Atomic = std::atomic>
class GateScan {
 public:
  /// Of a publisher whose first message is number `first`, and that runs at most `depth` ahead of a gate.
  GateScan(std::uint64_t first, std::uint64_t depth) noexcept : depth_(depth), scanned_(first), before_(first) {}

  /// Begins a scan, before one looks who is there.
  void begin(std::uint64_t head) noexcept {
    thread_fence(fenced_, std::memory_order_seq_cst);  // G1
    before_ = scanned_;
    scanned_ = head;
    furthest_behind_ = 0;
  }
  /// Counts the gates of those whom the scan met once more: it knows of nobody else, so the limit stays below what it
  /// would be after another scan.
  void again() noexcept { furthest_behind_ = 0; }
  /// Where a subscriber stands that this scan is the first to meet, if it has no row yet: it was not there at the scan
  /// before, so it starts no earlier.
  std::uint64_t newcomer() const noexcept { return before_; }

  /// A reliable subscriber stands there; returns how far behind that is. More than `depth` behind, or ahead of all
  /// messages, nobody stands who was waited for: it is passed over, and 0 returned.
  std::uint64_t count(std::uint64_t gate) noexcept {
    const std::uint64_t behind = scanned_ - gate;
    if (behind > depth_) {
      return 0;
    }
    furthest_behind_ = std::max(furthest_behind_, behind);
    return behind;
  }
  std::uint64_t count(const Atomic<std::uint64_t>& gate) noexcept {
    return count(gate.load(std::memory_order_acquire));  // G2
  }

  /// Up to where may be published before the next scan.
  std::uint64_t limit() const noexcept { return scanned_ + depth_ - furthest_behind_; }
  std::uint64_t furthest_behind() const noexcept { return furthest_behind_; }
  std::uint64_t depth() const noexcept { return depth_; }

 private:
  std::uint64_t depth_;
  std::uint64_t scanned_;
  std::uint64_t before_;
  std::uint64_t furthest_behind_ = 0;
  Atomic<std::uint64_t> fenced_{0};  // chooses the kind of fence
};

}  // namespace tenon
