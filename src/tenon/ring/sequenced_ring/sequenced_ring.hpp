#pragma once
/// A ring for one producer and one consumer whose slots say themselves that they are full: the least latency.
///
/// 1. Roles. One Producer and one Consumer, each used by one thread at a time, of any processes that map the memory.
/// 2. Layout. base/shared_array.hpp; own words: `taken`, the consumer's count, on a line of its own. A slot is a number
///    and a value: 64 bytes, one line, for a value of up to 56.
///
///        byte 0          64         72         128                   128 + sizeof(Slot)
///             | array    | taken u64| reserved | number u64 | value … | number | value | …
///
/// 3. Invariants. I1: message p stands in slot p mod slots. I2: a slot's number is p + 1 when message p is there whole,
///    and p + 1 − slots before. I3: `taken` never passes the first message that the consumer has not let go. I4:
///    numbers are compared for equality, or by their difference: they may wrap.
/// 4. Edges.
///      S1  store-release of a slot's number (publish) → load-acquire (front): publishes the value.
///      S2  store-release of `taken` (pop, front) → load-acquire (loan): the values up to it have been read.
/// 5. Progress. Wait-free, all of it; nothing here waits.
/// 6. If a process dies here. The producer between writing a value and its number: the message was never sent, and the
///    slot is written anew. After the number: it is sent. The consumer between pop and telling it in `taken`, which it
///    does once for an eighth of the slots: the next consumer gets those again. Nothing needs a repair: producer() and
///    consumer() go on where the memory says.
/// 7. Use instead. draining_ring for the highest rate in batches; broadcast_ring for several consumers; mpmc_ring for
///    several producers. To sleep until something comes, a topic, a stream or a queue.
#include <tenon/base/shared_array.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace tenon {

/// T must be trivially copyable: it is read by another process. A view: copies stand for the same ring.
template <class T, template <class> class Atomic = std::atomic>
class SequencedRing {
 public:
  struct Header {
    ArrayHeader array;
    alignas(cache_line) Atomic<std::uint64_t> taken{0};
  };
  struct Slot {
    Atomic<std::uint64_t> number{0};
    T value{};
  };
  using Array = SharedArray<Header, Slot>;
  static constexpr ArrayKind kind = Array::kind_of("sequenced ring", 0x31475253'4e4e5454, 1);

  /// What `slots` slots take. Failures: invalid_argument (no power of two).
  static Result<std::size_t> bytes_for(std::uint64_t slots) { return bytes_of_array(kind, slots); }
  /// Makes an empty ring in memory that nobody else sees yet; message numbers begin with `first`. Failures:
  /// invalid_argument (too small, not on a line, no power of two).
  static Result<SequencedRing> initialise(MutableBytes memory, std::uint64_t slots, std::uint64_t first = 0) {
    return Array::initialise(kind, memory, slots).transform([&](Array array) {
      return SequencedRing(array.header(), array.elements(), first);
    });
  }
  /// The ring that another has made there. Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<SequencedRing> open(MutableBytes memory) {
    return Array::open(kind, memory).transform([](Array array) { return SequencedRing(array); });
  }
  /// An empty ring out of parts of one's own: their number is a power of two, and nobody else sees them yet.
  SequencedRing(Header& header, std::span<Slot> slots, std::uint64_t first) noexcept : array_(header, slots) {
    header.taken.store(first, std::memory_order_relaxed);  // nobody else sees it yet
    for (std::uint64_t i = 0; i < slots.size(); ++i) {
      // relaxed: nobody else sees it yet
      slot_of(array_, first + i).number.store(first + i + 1 - slots.size(), std::memory_order_relaxed);
    }
  }

  class Producer {
   public:
    /// Where to write the next value in place; nullptr when the ring is full. It is sent with publish().
    T* try_loan() noexcept {
      if (at_ - known_taken_ >= array_.elements().size()) [[unlikely]] {
        known_taken_ = array_.header().taken.load(std::memory_order_acquire);  // S2
        if (at_ - known_taken_ >= array_.elements().size()) {
          return nullptr;
        }
      }
      return &slot_of(array_, at_).value;
    }
    /// Sends what try_loan() lent.
    void publish() noexcept {
      Slot& slot = slot_of(array_, at_);
      ++at_;
      slot.number.store(at_, std::memory_order_release);  // S1
    }
    /// False when the ring is full.
    bool try_push(const T& value) noexcept {
      T* const place = try_loan();
      if (place == nullptr) {
        return false;
      }
      *place = value;
      publish();
      return true;
    }
    /// The number of the next message.
    std::uint64_t next() const noexcept { return at_; }

   private:
    friend class SequencedRing;
    Producer(Array array, std::uint64_t taken, std::uint64_t at) noexcept
        : array_(array), known_taken_(taken), at_(at) {}

    Array array_;
    std::uint64_t known_taken_;
    std::uint64_t at_;
  };

  class Consumer {
   public:
    /// The oldest value, in place, until pop(); nullptr when the ring is empty. Whoever may write the memory may change
    /// it meanwhile: copy what must not.
    const T* try_front() noexcept {
      Slot& slot = slot_of(array_, at_);
      if (slot.number.load(std::memory_order_acquire) == at_ + 1) [[likely]] {  // S1
        return &slot.value;
      }
      tell();
      return nullptr;
    }
    /// Lets go what try_front() returned.
    void pop() noexcept {
      ++at_;
      // The count's line goes to and fro each time that it is looked at, so slots are freed many at once.
      if (at_ - told_ >= freed_at_once_) {
        tell();
      }
    }
    /// Nothing when the ring is empty.
    std::optional<T> try_pop() noexcept {
      const T* const front = try_front();
      if (front == nullptr) {
        return std::nullopt;
      }
      std::optional<T> value(*front);
      pop();
      return value;
    }
    std::uint64_t next() const noexcept { return at_; }

   private:
    friend class SequencedRing;
    Consumer(Array array, std::uint64_t at) noexcept
        : array_(array), freed_at_once_(std::max<std::uint64_t>(array.elements().size() / 8, 1)), at_(at), told_(at) {}

    void tell() noexcept {
      if (told_ != at_) {
        told_ = at_;
        array_.header().taken.store(at_, std::memory_order_release);  // S2
      }
    }

    Array array_;
    std::uint64_t freed_at_once_;
    std::uint64_t at_;
    std::uint64_t told_;
  };

  /// Goes on behind the last message that was sent. The producer before it must run no more.
  Producer producer() const noexcept {
    const std::uint64_t taken = array_.header().taken.load(std::memory_order_acquire);  // S2
    std::uint64_t at = taken;
    while (at - taken < array_.elements().size() &&
           slot_of(array_, at).number.load(std::memory_order_relaxed) == at + 1) {  // only the producer writes it
      ++at;
    }
    return Producer(array_, taken, at);
  }
  /// Goes on with the first message that the last consumer has not told to be taken, which must run no more.
  Consumer consumer() const noexcept {
    // only the consumer writes it
    return Consumer(array_, array_.header().taken.load(std::memory_order_relaxed));  // own count
  }
  std::uint64_t slots() const noexcept { return array_.elements().size(); }

 private:
  explicit SequencedRing(Array array) noexcept : array_(array) {}
  static Slot& slot_of(const Array& array, std::uint64_t at) noexcept {
    return array.elements()[at & (array.elements().size() - 1)];
  }

  Array array_;
};

}  // namespace tenon
