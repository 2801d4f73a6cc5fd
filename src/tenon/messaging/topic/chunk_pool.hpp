#pragma once
/// Which chunks of a publisher's file are free. What subscribers hold they say in pins of their own; no message counts
/// its readers, so there is nothing to repair when one dies.
///
/// 1. Roles. The publisher, one thread at a time: take, put_back, retire, reclaim. Each subscriber writes its own pins,
///    which the publisher maps read-only: pin, then MessageRing::Reader::still_there, later unpin.
/// 2. Layout. The pool is private memory of the publisher: it dies with it, and nobody misses it. A pin is a u32 in the
///    subscriber's row for this publisher: 0, or a chunk's number + 1.
/// 3. Invariants. I1: each chunk is in exactly one place: free, lent, in an entry of the ring, or retired, which is out
///    of the ring and perhaps held. I2: a chunk becomes free only from retired, when no pin named it after its entry
///    was overwritten. I3: a subscriber reads a chunk only while its pin names it and still_there() was true after the
///    pin.
/// 4. Edges.
///      C1  number, being written (M3 of message_ring.hpp); fence-seq_cst (reclaim); pin-load ↔ pin-store;
///          fence-seq_cst (pin); number (still_there): at least one of both sees the other. If the publisher sees no
///          pin, the subscriber sees that the entry is gone, and reads nothing.
///      C2  store-release of 0 (unpin), or of the next chunk (pin) → load-acquire (reclaim): the reads of what the pin
///          named before come before that is written again.
///      C3  pin-store, then store-release of the gate (gate_scan.hpp, G2) → load-acquire of the gate, later load of the
///          pin (reclaim): who passed its gate is seen to hold what it pinned before.
/// 5. Progress. Wait-free; reclaim() looks once at every pin, and hands out as many chunks as have become free.
/// 6. If a process dies here. A subscriber with pins: they are looked at until its file is taken out of the roster, and
///    then its chunks are free. Between pin and still_there(): the same. The publisher anywhere: the pool is gone with
///    it, and who has its file mapped reads on. A loan that was never published is private, and gone.
/// 7. Use instead. ring/index_pool where several processes allocate.
#include <tenon/base/fence.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tenon {

/// Pins `chunk`: to be followed by still_there(), and by unpin() if that is false. pins[place] is 0.
template <template <class> class Atomic>
void pin_chunk(Atomic<std::uint32_t>& pin, std::uint32_t chunk) noexcept {
  pin.store(chunk + 1, std::memory_order_release);  // C1, by the fence after it; C2, of what it named before; C3
  thread_fence(pin, std::memory_order_seq_cst);     // C1
}
template <template <class> class Atomic>
void unpin_chunk(Atomic<std::uint32_t>& pin) noexcept {
  pin.store(0, std::memory_order_release);  // C2
}

/// Which free chunk comes next: long ones are written again while they are still in the processor's cache, others go
/// round, for a line that another processor's second-level cache holds is slower to have than one of the third level.
enum class ChunkOrder : std::uint8_t { oldest_first, newest_first };

template <template <class> class Atomic = std::atomic>
class ChunkPool {
 public:
  using Pin = Atomic<std::uint32_t>;

  /// All of them are free. Allocates here, and never again.
  ChunkPool(std::uint32_t chunks, ChunkOrder order) : order_(order), ring_(chunks), pinned_(chunks) {
    retired_.reserve(chunks);
    for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
      give(chunk);
    }
  }

  /// One that is free, if any is: else reclaim() first.
  std::optional<std::uint32_t> take() noexcept {
    if (free_ == 0) {
      return std::nullopt;
    }
    --free_;
    if (order_ == ChunkOrder::newest_first) {
      return ring_[place_of(free_)];
    }
    const std::uint32_t chunk = ring_[first_];
    first_ = place_of(1);
    return chunk;
  }
  /// A loan that nobody was shown.
  void put_back(std::uint32_t chunk) noexcept { give(chunk); }
  /// One whose entry has just been overwritten, or is about to be gone with its number.
  void retire(std::uint32_t chunk) noexcept { retired_.push_back(chunk); }

  /// Frees what is retired and no pin names; returns how many that are. `pins` are all of every living subscriber's;
  /// what they name is held against the number of chunks.
  std::size_t reclaim(std::span<const std::span<const Pin>> pins) noexcept {
    if (retired_.empty()) {
      return 0;
    }
    thread_fence(fenced_, std::memory_order_seq_cst);  // C1
    pinned_.assign(pinned_.size(), false);             // within what was reserved
    for (const std::span<const Pin>& of_one : pins) {
      for (const Pin& pin : of_one) {
        const std::uint32_t named = pin.load(std::memory_order_acquire);  // C1, C2, C3
        if (named != 0 && named <= pinned_.size()) {
          pinned_[named - 1] = true;
        }
      }
    }
    return give_unpinned();
  }

  std::size_t free() const noexcept { return free_; }
  std::size_t retired() const noexcept { return retired_.size(); }

 private:
  std::uint32_t place_of(std::size_t ahead) const noexcept {
    return static_cast<std::uint32_t>((first_ + ahead) % ring_.size());
  }
  void give(std::uint32_t chunk) noexcept {
    ring_[place_of(free_)] = chunk;
    ++free_;
  }
  std::size_t give_unpinned() noexcept {
    std::size_t kept = 0;
    for (const std::uint32_t chunk : retired_) {
      if (pinned_[chunk]) {
        retired_[kept] = chunk;
        ++kept;
      } else {
        give(chunk);
      }
    }
    const std::size_t freed = retired_.size() - kept;
    retired_.resize(kept);
    return freed;
  }

  ChunkOrder order_;
  std::vector<std::uint32_t> ring_;  // of the free ones, from first_ on
  std::uint32_t first_ = 0;
  std::size_t free_ = 0;
  std::vector<std::uint32_t> retired_;
  std::vector<bool> pinned_;
  Pin fenced_{0};  // chooses the kind of fence
};

}  // namespace tenon
