#pragma once
/// The two ends of a ring of bytes whose two counts lie in two memories.
///
/// 1. Roles. One StreamProducer and one StreamConsumer, each used by one thread at a time, of two processes.
/// 2. Layout. stream_layout.hpp: `head` and the bytes stand where the producer alone may write, `tail` where the
///    consumer alone may. Why it is no DrainingRing: that one has both counts in one header, which both sides write,
///    and passes over a count that makes no sense, since its sides trust each other; a stream must tell of it. What is
///    left to share are the runs, which are taken from there.
/// 3. Invariants. I1: byte i stands at i modulo the capacity. I2: the bytes in [tail, head) are whole. I3: neither
/// count
///    goes back, and head - tail is never more than the capacity; whoever sees otherwise sees a lie, and believes none
///    of it. I4: counts are compared by their difference: they may wrap.
/// 4. Edges.
///      S1  store-release of `head` (publish) → load-acquire (StreamConsumer::look): publishes the bytes up to it.
///      S2  store-release of `tail` (consume) → load-acquire (StreamProducer::look): the bytes up to it have been read.
/// 5. Progress. Wait-free, all of it; nothing here waits. Each side looks at the other's count only when it has used up
///    what it knew of: as many short writes as fit cost one line that comes from the other's cache.
/// 6. If a process dies here. The producer before publish(): what it had begun to write was never written. The consumer
///    before consume(): nobody reads on in its place, so nothing is read twice.
/// 7. Use instead. byte_ring and draining_ring, between sides that trust each other.
#include <tenon/ring/draining_ring/draining_ring.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tenon {

/// Bytes of a stream that follow each other: two runs where they go round the ring's end, of which the second may be
/// empty.
template <class Byte>
using StreamRuns = typename DrainingRing<std::remove_const_t<Byte>>::template Runs<Byte>;

/// Byte is std::byte but in tests.
template <template <class> class Atomic = std::atomic, class Byte = std::byte>
class StreamProducer {
 public:
  /// The ring is empty, and both counts stand at `first`.
  StreamProducer(Atomic<std::uint64_t>& head, const Atomic<std::uint64_t>& tail, std::span<Byte> bytes,
                 std::uint64_t first) noexcept
      : head_(&head), tail_(&tail), bytes_(bytes.data()), capacity_(bytes.size()), known_tail_(first), at_(first) {}

  std::uint64_t at() const noexcept { return at_; }
  std::uint64_t capacity() const noexcept { return capacity_; }
  /// How many more fit, as of the last look.
  std::uint64_t room() const noexcept { return capacity_ - (at_ - known_tail_); }
  /// Looks how far the consumer is. False: what stands there is a lie, and nothing is known beyond before.
  bool look() noexcept {
    const std::uint64_t tail = tail_->load(std::memory_order_acquire);  // S2
    if (tail - known_tail_ > at_ - known_tail_) [[unlikely]] {
      return false;
    }
    known_tail_ = tail;
    return true;
  }
  /// Where to write in place, at most `wanted` bytes.
  StreamRuns<Byte> writable(std::uint64_t wanted) const noexcept {
    const std::uint64_t count = std::min(wanted, room());
    const std::uint64_t place = at_ & (capacity_ - 1);
    const std::uint64_t first = std::min(count, capacity_ - place);
    return {{bytes_ + place, first}, {bytes_, count - first}};
  }
  /// Sends the next `count` bytes, which are written and for which there was room.
  void publish(std::uint64_t count) noexcept {
    at_ += count;
    head_->store(at_, std::memory_order_release);  // S1
  }
  /// Copies them, for which there is room, and sends them.
  void put(std::span<const Byte> from) noexcept {
    const std::uint64_t place = at_ & (capacity_ - 1);
    const std::uint64_t first = std::min<std::uint64_t>(from.size(), capacity_ - place);
    std::copy_n(from.data(), first, bytes_ + place);
    if (first != from.size()) [[unlikely]] {
      std::copy_n(from.data() + first, from.size() - first, bytes_);
    }
    publish(from.size());
  }

 private:
  Atomic<std::uint64_t>* head_;
  const Atomic<std::uint64_t>* tail_;
  Byte* bytes_;
  std::uint64_t capacity_;
  std::uint64_t known_tail_;
  std::uint64_t at_;
};

template <template <class> class Atomic = std::atomic, class Byte = std::byte>
class StreamConsumer {
 public:
  StreamConsumer(const Atomic<std::uint64_t>& head, Atomic<std::uint64_t>& tail, std::span<const Byte> bytes,
                 std::uint64_t first) noexcept
      : head_(&head), tail_(&tail), bytes_(bytes.data()), capacity_(bytes.size()), known_head_(first), at_(first) {}

  std::uint64_t at() const noexcept { return at_; }
  std::uint64_t capacity() const noexcept { return capacity_; }
  /// How many bytes are there, as of the last look.
  std::uint64_t available() const noexcept { return known_head_ - at_; }
  /// Looks how far the producer is. False: what stands there is a lie, and nothing is known beyond before.
  bool look() noexcept {
    const std::uint64_t head = head_->load(std::memory_order_acquire);  // S1
    if (head - known_head_ > capacity_ - available()) [[unlikely]] {
      return false;
    }
    known_head_ = head;
    return true;
  }
  /// The oldest bytes, in place, at most `wanted`, until consume().
  StreamRuns<const Byte> readable(std::uint64_t wanted) const noexcept {
    const std::uint64_t count = std::min(wanted, available());
    const std::uint64_t place = at_ & (capacity_ - 1);
    const std::uint64_t first = std::min(count, capacity_ - place);
    return {{bytes_ + place, first}, {bytes_, count - first}};
  }
  /// Lets go the oldest `count`, which are there.
  void consume(std::uint64_t count) noexcept {
    at_ += count;
    tail_->store(at_, std::memory_order_release);  // S2
  }
  /// Copies the oldest bytes, as many as fit and are there, and lets them go.
  void take(std::span<Byte> into) noexcept {
    const std::uint64_t place = at_ & (capacity_ - 1);
    const std::uint64_t first = std::min<std::uint64_t>(into.size(), capacity_ - place);
    std::copy_n(bytes_ + place, first, into.data());
    if (first != into.size()) [[unlikely]] {
      std::copy_n(bytes_, into.size() - first, into.data() + first);
    }
    consume(into.size());
  }

 private:
  const Atomic<std::uint64_t>* head_;
  Atomic<std::uint64_t>* tail_;
  const Byte* bytes_;
  std::uint64_t capacity_;
  std::uint64_t known_head_;
  std::uint64_t at_;
};

}  // namespace tenon
