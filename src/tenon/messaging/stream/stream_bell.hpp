#pragma once
/// How one end of a stream says that it sleeps, and how the other wakes it, each writing its own file alone.
///
/// 1. Roles. Both ends are sleeper and ringer: the reader sleeps for bytes, the writer for room.
/// 2. Layout. stream_layout.hpp. The sleeper's `wish`: what it was told of the ringer's bell, and two bits.
///
///        bit 63   62       61 … 32   31 … 0
///        | closed | asleep | 0       | told |
///
///    `wished` is the ringer's index from which on it wants to be woken. The ringer's `bell` is a count of its rings,
///    which wraps; the sleeper sleeps on it, through a map that it may only read.
/// 3. Invariants. I1: a sleeper whose wish stands, and who found nothing after that, is rung for what is stored after.
///    I2: the ringer rings once for each wish: the next time its bell is another. I3: what stands here decides about
///    waking alone; a wish that lies costs its ringer a system call for each of the ringer's stores at most.
/// 4. Edges.
///      B1  store wish (wish_for); fence-seq_cst; look at index ↔ store index; fence-seq_cst; load wish (wish_of): of
///          sleeper and ringer at least one sees the other. The ringer's fence is as a rule made by the sleeper, with
///          membarrier(2), if the ringer has registered for it and the sleeper can; else it makes its own.
///      B2  store bell (ring), wake ↔ the kernel compares the bell and puts to sleep, in one step: a sleeper that was
///          told the count before is woken, or does not fall asleep.
///      B3  store-release wish (wish_for) → load-acquire (is_due): publishes `wished`, and that it polls.
///      B4  store-release wish (say_closed) → load-acquire (has_closed): what was stored before is seen by the look
///          that follows.
/// 5. Progress. Wait-free. Who stores an index pays one load of a line that changes only when the other sleeps.
/// 6. If a process dies here. A sleeper: its wish costs one ring in vain. A ringer between index and wake: who sleeps
///    looks again within recheck_interval (os/futex).
/// 7. Use instead. topic_bell.hpp where there are several of either.
#include <tenon/base/fence.hpp>

#include <atomic>
#include <cstdint>

namespace tenon {

inline constexpr std::uint64_t stream_closed = std::uint64_t{1} << 63;
inline constexpr std::uint64_t stream_asleep = std::uint64_t{1} << 62;

/// The sleeper's: what it says in its own file.
template <template <class> class Atomic = std::atomic>
class StreamWish {
 public:
  StreamWish(Atomic<std::uint64_t>& wish, Atomic<std::uint64_t>& wished, const Atomic<std::uint32_t>& bell) noexcept
      : wish_(&wish), wished_(&wished), bell_(&bell) {}

  /// Says that it is about to sleep until the other's index is `index`; returns what to sleep by. A barrier for the
  /// other and a look follow.
  std::uint32_t wish_for(std::uint64_t index) noexcept {
    const std::uint32_t told = bell_->load(std::memory_order_relaxed);  // before the look, by the fence
    wished_->store(index, std::memory_order_relaxed);                   // B3, by the store that follows
    wish_->store(stream_asleep | told, std::memory_order_release);      // B1, B3
    thread_fence(*wish_, std::memory_order_seq_cst);                    // B1
    return told;
  }
  /// It is awake again.
  void withdraw() noexcept { wish_->store(0, std::memory_order_relaxed); }  // own word; who rings in vain does no harm
  /// For good: after this it wishes nothing.
  void say_closed() noexcept {
    wish_->store(stream_closed, std::memory_order_release);  // B4
    thread_fence(*wish_, std::memory_order_seq_cst);         // B1: before it looks whether the other sleeps
  }

 private:
  Atomic<std::uint64_t>* wish_;
  Atomic<std::uint64_t>* wished_;
  const Atomic<std::uint32_t>* bell_;
};

/// The ringer's: what it reads in the other's file, and its own bell.
template <template <class> class Atomic = std::atomic>
class StreamRinger {
 public:
  StreamRinger(Atomic<std::uint32_t>& bell, const Atomic<std::uint64_t>& wish,
               const Atomic<std::uint64_t>& wished) noexcept
      : bell_(&bell), wish_(&wish), wished_(&wished) {}

  /// What the other says, asked after the index was stored and a barrier: 0 as a rule.
  std::uint64_t wish_of() const noexcept { return wish_->load(std::memory_order_relaxed); }  // B1, by the barriers
  bool has_closed() const noexcept {
    return (wish_->load(std::memory_order_acquire) & stream_closed) != 0;  // B4
  }
  /// Whether it is to be rung, now that the index is this.
  bool is_due(std::uint64_t index) const noexcept {
    const std::uint64_t wish = wish_->load(std::memory_order_acquire);      // B3
    const std::uint64_t wished = wished_->load(std::memory_order_relaxed);  // B3, by the load before
    const std::uint32_t count = bell_->load(std::memory_order_relaxed);     // own count
    return (wish & stream_asleep) != 0 && static_cast<std::uint32_t>(wish) == count &&
           static_cast<std::int64_t>(index - wished) >= 0;
  }
  /// Before the wake.
  void ring() noexcept {
    const std::uint32_t count = bell_->load(std::memory_order_relaxed);  // own count
    bell_->store(count + 1, std::memory_order_relaxed);                  // B2, which the kernel orders
  }
  /// The ringer's own, where the sleeper can make none for it, between index and wish_of().
  void fence() const noexcept { thread_fence(*wish_, std::memory_order_seq_cst); }  // B1

 private:
  Atomic<std::uint32_t>* bell_;
  const Atomic<std::uint64_t>* wish_;
  const Atomic<std::uint64_t>* wished_;
};

}  // namespace tenon
