#pragma once
/// A ring from one producer to any number of consumers, each of which sees every message: lossy ones are overtaken and
/// told by how much, gated ones hold the producer back. Sending costs the same for one consumer as for a thousand.
///
/// 1. Roles. One Producer, used by one thread at a time, alone writes the memory. Any number of Consumers map it
///    read-only; a gated one has a count of its own elsewhere, which it alone writes and the producer reads.
/// 2. Layout. base/shared_array.hpp; no own words. A slot is a number and the value's words: 64 bytes, one line, for a
///    value of up to 56.
///
///        byte 0       64
///             | array | number u64 | word u64 … | number | word … | …
///
/// 3. Invariants. I1: message p stands in slot p mod slots. I2: the slot's number is p while message p is being
/// written,
///    p + 1 when it is there whole, p + 1 − slots before. With two slots or more these never mean another message of
///    the same slot. I3: message p is overwritten only once every gate has passed it. I4: numbers are compared by
///    equality or their difference: they may wrap.
/// 4. Edges.
///      S1  store-release of a number, whole (publish) → load-acquire (receive): publishes the words.
///      S2  fence-release after a number, being written (publish) → fence-acquire after the words (receive): who has
///          seen a word of the next message sees that its number has changed.
///      S3  store-release of a gate (Consumer) → load-acquire (publish): the words up to it have been read.
/// 5. Progress. Wait-free, all of it; nothing here waits. Publishing looks at the gates once for as many messages as
///    they had let pass.
/// 6. If a process dies here. The producer while it writes: the message was never sent, and a consumer finds nothing
/// new;
///    producer() begins it anew. A consumer: a lossy one is missed by nobody; a gated one's gate must be taken out of
///    the gates by whoever learns of its death, or the ring stays full.
/// 7. Use instead. A topic, which has larger messages, sleeps, and knows who lives; sequenced_ring or draining_ring for
///    one consumer; sequence_lock for the latest value alone.
#include <tenon/base/fence.hpp>
#include <tenon/base/shared_array.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace tenon {

/// T is trivially copyable, of any size; large ones are better sent by their offset. A view: copies stand for the same.
template <class T, template <class> class Atomic = std::atomic>
  requires std::is_trivially_copyable_v<T>
class BroadcastRing {
 public:
  static constexpr std::size_t words = (sizeof(T) + 7) / 8;
  struct Header {
    ArrayHeader array;
  };
  struct Slot {
    Atomic<std::uint64_t> number{0};
    Atomic<std::uint64_t> word[words];
  };
  using Array = SharedArray<Header, Slot>;
  using Gate = Atomic<std::uint64_t>;
  static constexpr ArrayKind kind = Array::kind_of("broadcast ring", 0x31475242'4e4e5454, 1, 2);

  /// What `slots` slots take. Failures: invalid_argument (no power of two).
  static Result<std::size_t> bytes_for(std::uint64_t slots) { return bytes_of_array(kind, slots); }
  /// Makes an empty ring of at least two slots in memory that nobody else sees yet. Failures: invalid_argument (too
  /// small, not on a line, no power of two, a single slot).
  static Result<BroadcastRing> initialise(MutableBytes memory, std::uint64_t slots, std::uint64_t first = 0) {
    return Array::initialise(kind, memory, slots).transform([&](Array array) {
      return BroadcastRing(array.header(), array.elements(), first);
    });
  }
  /// The ring that another has made there; consumers open it in memory mapped read-only, which it does not write.
  /// Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<BroadcastRing> open(MutableBytes memory) {
    return Array::open(kind, memory).transform([](Array array) { return BroadcastRing(array); });
  }
  /// An empty ring out of parts of one's own: two slots or more, a power of two, and nobody else sees them yet.
  BroadcastRing(Header& header, std::span<Slot> slots, std::uint64_t first) noexcept : array_(header, slots) {
    for (std::uint64_t p = first; p - first < slots.size(); ++p) {
      slot_of(array_, p).number.store(p + 1 - slots.size(), std::memory_order_relaxed);  // nobody else sees it yet
    }
  }

  class Producer {
   public:
    /// Who holds it back from now on: all gates, which stand where the producer can read them. Before a gate joins, its
    /// owner sets it to next().
    void set_gates(std::span<const Gate* const> gates) noexcept {
      gates_ = gates;
      limit_ = at_;  // looks before it sends
    }
    /// False when a gated consumer has not read what stands in the next slot.
    bool try_publish(const T& value) noexcept {
      if (at_ == limit_ && !look_at_gates()) [[unlikely]] {
        return false;
      }
      std::array<std::uint64_t, words> copy{};
      std::memcpy(copy.data(), &value, sizeof value);
      Slot& slot = slot_of(array_, at_);
      slot.number.store(at_, std::memory_order_relaxed);     // S2, by the fence after it
      thread_fence(slot.number, std::memory_order_release);  // S2
      for (std::size_t i = 0; i < words; ++i) {
        slot.word[i].store(copy[i], std::memory_order_relaxed);  // S1, by the number after it
      }
      ++at_;
      slot.number.store(at_, std::memory_order_release);  // S1
      return true;
    }
    /// The number of the next message.
    std::uint64_t next() const noexcept { return at_; }

   private:
    friend class BroadcastRing;
    Producer(Array array, std::uint64_t at) noexcept : array_(array), at_(at), limit_(at) {}

    bool look_at_gates() noexcept {
      const std::uint64_t slots = array_.elements().size();
      std::uint64_t furthest_behind = 0;
      for (const Gate* gate : gates_) {
        const std::uint64_t behind = at_ - gate->load(std::memory_order_acquire);  // S3
        // A gate ahead of all messages is no consumer's: it holds nobody back.
        furthest_behind = std::max(furthest_behind, behind <= slots ? behind : 0);
      }
      limit_ = at_ + slots - furthest_behind;
      return limit_ != at_;
    }

    Array array_;
    std::uint64_t at_;
    std::uint64_t limit_;
    std::span<const Gate* const> gates_;
  };

  enum class Seen : unsigned char {
    message,  ///< `into` holds it
    nothing,  ///< nothing new
    gap,      ///< messages were overwritten before they were read: lost() tells how many; the next call goes on
  };

  class Consumer {
   public:
    Seen try_receive(T& into) noexcept {
      Slot& slot = slot_of(array_, at_);
      const std::uint64_t number = slot.number.load(std::memory_order_acquire);  // S1
      if (number == at_ + 1) [[likely]] {
        std::array<std::uint64_t, words> copy;
        for (std::size_t i = 0; i < words; ++i) {
          copy[i] = slot.word[i].load(std::memory_order_relaxed);  // S1 before, S2 after
        }
        thread_fence(slot.number, std::memory_order_acquire);                    // S2
        if (slot.number.load(std::memory_order_relaxed) == number) [[likely]] {  // S2, by the fence before it
          std::memcpy(static_cast<void*>(&into), copy.data(), sizeof into);
          advance(1);
          return Seen::message;
        }
      }
      return is_ahead(slot.number.load(std::memory_order_relaxed)) ? skip() : Seen::nothing;  // skip() looks again
    }
    /// How many messages were lost since it began.
    std::uint64_t lost() const noexcept { return lost_; }
    /// The number of the next message.
    std::uint64_t next() const noexcept { return at_; }

   private:
    friend class BroadcastRing;
    Consumer(Array array, std::uint64_t at, Gate* gate) noexcept : array_(array), at_(at), gate_(gate) {}

    // The producer is at message p or behind it if number is p or p + 1, and p one lap or more ahead.
    bool is_ahead(std::uint64_t number) const noexcept {
      const std::uint64_t distance = number - at_;
      return distance > 1 && distance < std::uint64_t{1} << 63;
    }
    // Goes on far enough behind the producer not to be overtaken at once.
    Seen skip() noexcept {
      const std::uint64_t slots = array_.elements().size();
      const std::uint64_t newest = slot_of(array_, at_).number.load(std::memory_order_acquire);  // S1
      const std::uint64_t next = newest - slots + slots / 4 + 1;
      if (static_cast<std::int64_t>(next - at_) > 0) {
        lost_ += next - at_;
        advance(next - at_);
      }
      return Seen::gap;
    }
    void advance(std::uint64_t count) noexcept {
      at_ += count;
      if (gate_ != nullptr) {
        gate_->store(at_, std::memory_order_release);  // S3
      }
    }

    Array array_;
    std::uint64_t at_;
    std::uint64_t lost_ = 0;
    Gate* gate_;
  };

  /// Goes on behind the last message that was sent. The producer before it must run no more.
  Producer producer() const noexcept { return Producer(array_, newest_end()); }
  /// Sees what is sent from now on, and may be overtaken.
  Consumer lossy_consumer() const noexcept { return Consumer(array_, newest_end(), nullptr); }
  /// Sees what is sent from message `from` on, at which its gate stands, and is never overtaken while the producer
  /// heeds that gate. The gate outlives it.
  Consumer gated_consumer(Gate& gate, std::uint64_t from) const noexcept { return Consumer(array_, from, &gate); }
  std::uint64_t slots() const noexcept { return array_.elements().size(); }

  /// The number after the newest message that was sent, as of some moment during the call.
  std::uint64_t newest_end() const noexcept {
    // The slots' numbers rise by one from slot to slot up to the newest message, where they fall back by a lap.
    std::uint64_t newest = array_.elements()[0].number.load(std::memory_order_acquire);  // S1
    for (const Slot& slot : array_.elements()) {
      const std::uint64_t number = slot.number.load(std::memory_order_acquire);  // S1
      newest = static_cast<std::int64_t>(number - newest) > 0 ? number : newest;
    }
    return newest;
  }

 private:
  explicit BroadcastRing(Array array) noexcept : array_(array) {}
  static Slot& slot_of(const Array& array, std::uint64_t at) noexcept {
    return array.elements()[at & (array.elements().size() - 1)];
  }

  Array array_;
};

}  // namespace tenon
