#pragma once
/// A ring for one producer and one consumer with a shared count on either side, which each looks at only when it has
/// used up what it knew of: the highest rate, since the consumer does not chase the producer from slot to slot.
///
/// 1. Roles. One Producer and one Consumer, each used by one thread at a time, of any processes that map the memory.
/// 2. Layout. base/shared_array.hpp; own words: `head` and `tail`, each on a line of its own. A slot is a value and
///    nothing else.
///
///        byte 0       64                  128                 192
///             | array | head u64 reserved | tail u64 reserved | value | value | …
///
/// 3. Invariants. I1: message p stands in slot p mod slots. I2: the messages in [tail, head) are whole. I3: only the
///    producer writes `head`, only the consumer `tail`. I4: counts are compared by their difference: they may wrap.
/// 4. Edges.
///      S1  store-release of `head` (publish) → load-acquire (available): publishes the values up to it.
///      S2  store-release of `tail` (pop, available) → load-acquire (room): the values up to it have been read.
/// 5. Progress. Wait-free, all of it; nothing here waits.
/// 6. If a process dies here. The producer before publish(): what it committed since the last was never sent. The
///    consumer between pop and telling it in `tail`, which it does once for an eighth of the slots: the next one gets
///    those again. Nothing needs a repair: producer() and consumer() go on where the memory says.
/// 7. Use instead. sequenced_ring for the least latency of single messages; byte_ring for bytes; broadcast_ring for
///    several consumers.
#include <tenon/base/shared_array.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tenon {

/// T must be trivially copyable: it is read by another process. A view: copies stand for the same ring.
template <class T, template <class> class Atomic = std::atomic>
class DrainingRing {
 public:
  struct Header {
    ArrayHeader array;
    alignas(cache_line) Atomic<std::uint64_t> head{0};
    alignas(cache_line) Atomic<std::uint64_t> tail{0};
  };
  using Array = SharedArray<Header, T>;
  static constexpr ArrayKind kind = Array::kind_of("draining ring", 0x31475244'4e4e5454, 1);

  /// What `slots` slots take. Failures: invalid_argument (no power of two).
  static Result<std::size_t> bytes_for(std::uint64_t slots) { return bytes_of_array(kind, slots); }
  /// Makes an empty ring in memory that nobody else sees yet; message numbers begin with `first`. Failures:
  /// invalid_argument (too small, not on a line, no power of two).
  static Result<DrainingRing> initialise(MutableBytes memory, std::uint64_t slots, std::uint64_t first = 0) {
    return Array::initialise(kind, memory, slots).transform([&](Array array) {
      return DrainingRing(array.header(), array.elements(), first);
    });
  }
  /// The ring that another has made there. Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<DrainingRing> open(MutableBytes memory) {
    return Array::open(kind, memory).transform([](Array array) { return DrainingRing(array); });
  }
  /// An empty ring out of parts of one's own: their number is a power of two, and nobody else sees them yet.
  DrainingRing(Header& header, std::span<T> slots, std::uint64_t first) noexcept : array_(header, slots) {
    header.head.store(first, std::memory_order_relaxed);  // nobody else sees it yet
    header.tail.store(first, std::memory_order_relaxed);  // nobody else sees it yet
  }

  /// Slots that follow each other in the ring: two runs where they go round its end, of which the second may be empty.
  template <class Element>
  struct Runs {
    std::span<Element> first;
    std::span<Element> second;
    std::size_t size() const noexcept { return first.size() + second.size(); }
  };

  class Producer {
   public:
    /// How many more fit, which it looks up only when it knows of fewer than `wanted`.
    std::uint64_t room(std::uint64_t wanted = 1) noexcept {
      const std::uint64_t slots = array_.elements().size();
      if (slots - (at_ - known_tail_) < wanted) [[unlikely]] {
        const std::uint64_t tail = array_.header().tail.load(std::memory_order_acquire);  // S2
        // A count that no consumer can have written frees nothing.
        known_tail_ = at_ - tail <= slots ? tail : known_tail_;
      }
      return slots - (at_ - known_tail_);
    }
    /// Where to write the next value in place; nullptr when the ring is full.
    T* try_loan() noexcept { return room() == 0 ? nullptr : &array_.elements()[at_ & (array_.elements().size() - 1)]; }
    /// Where to write the next values in place, at most `wanted`.
    Runs<T> loan(std::uint64_t wanted) noexcept { return runs_of<T>(array_, at_, std::min(room(wanted), wanted)); }
    /// What was lent is written; it is sent with the next publish().
    void commit(std::uint64_t count = 1) noexcept { at_ += count; }
    /// Sends all that was committed.
    void publish() noexcept { array_.header().head.store(at_, std::memory_order_release); }  // S1
    /// False when the ring is full.
    bool try_push(const T& value) noexcept {
      T* const place = try_loan();
      if (place == nullptr) {
        return false;
      }
      *place = value;
      commit();
      publish();
      return true;
    }
    /// Sends as many of them as fit, at once; returns how many.
    std::size_t push(std::span<const T> values) noexcept {
      const Runs<T> runs = loan(values.size());
      std::copy_n(values.begin(), runs.first.size(), runs.first.begin());
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(runs.first.size()), runs.second.size(),
                  runs.second.begin());
      commit(runs.size());
      publish();
      return runs.size();
    }

   private:
    friend class DrainingRing;
    Producer(Array array, std::uint64_t tail, std::uint64_t at) noexcept : array_(array), known_tail_(tail), at_(at) {}

    Array array_;
    std::uint64_t known_tail_;
    std::uint64_t at_;
  };

  class Consumer {
   public:
    /// How many are there, which it looks up only when it knows of fewer than `wanted`. Who is as fast as the producer
    /// wants many: right behind it, each line comes out of the producer's cache at the cost of a bounce.
    std::uint64_t available(std::uint64_t wanted = 1) noexcept {
      if (known_head_ - at_ < wanted) [[unlikely]] {
        tell();
        const std::uint64_t head = array_.header().head.load(std::memory_order_acquire);  // S1
        // A count that no producer can have written brings nothing.
        known_head_ = head - at_ <= array_.elements().size() ? head : known_head_;
      }
      return known_head_ - at_;
    }
    /// The oldest value, in place, until pop(); nullptr when the ring is empty.
    const T* try_front() noexcept {
      return available() == 0 ? nullptr : &array_.elements()[at_ & (array_.elements().size() - 1)];
    }
    /// The oldest values, in place, until pop(), at most `wanted`.
    Runs<const T> front(std::uint64_t wanted) noexcept {
      return runs_of<const T>(array_, at_, std::min(available(wanted), wanted));
    }
    /// Lets go the oldest `count`, which are there.
    void pop(std::uint64_t count = 1) noexcept {
      at_ += count;
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
    /// Tells the producer all that was let go, which pop() does for many at once.
    void tell() noexcept {
      if (told_ != at_) {
        told_ = at_;
        array_.header().tail.store(at_, std::memory_order_release);  // S2
      }
    }

   private:
    friend class DrainingRing;
    Consumer(Array array, std::uint64_t at) noexcept
        : array_(array),
          freed_at_once_(std::max<std::uint64_t>(array.elements().size() / 8, 1)),
          known_head_(at),
          at_(at),
          told_(at) {}

    Array array_;
    std::uint64_t freed_at_once_;
    std::uint64_t known_head_;
    std::uint64_t at_;
    std::uint64_t told_;
  };

  /// Goes on behind the last message that was sent. The producer before it must run no more.
  Producer producer() const noexcept {
    const std::uint64_t tail = array_.header().tail.load(std::memory_order_acquire);  // S2
    const std::uint64_t head = array_.header().head.load(std::memory_order_relaxed);  // own count
    // A count that no consumer can have written frees nothing: the ring counts as full until a better one comes.
    return Producer(array_, head - tail <= slots() ? tail : head - slots(), head);
  }
  /// Goes on with the first message that the last consumer has not told to be taken, which must run no more.
  Consumer consumer() const noexcept {
    return Consumer(array_, array_.header().tail.load(std::memory_order_relaxed));  // own count
  }
  std::uint64_t slots() const noexcept { return array_.elements().size(); }

 private:
  explicit DrainingRing(Array array) noexcept : array_(array) {}
  template <class Element>
  static Runs<Element> runs_of(const Array& array, std::uint64_t at, std::uint64_t count) noexcept {
    const std::uint64_t begin = at & (array.elements().size() - 1);
    const std::uint64_t before_end = std::min(count, array.elements().size() - begin);
    return {.first = array.elements().subspan(begin, before_end), .second = array.elements().first(count - before_end)};
  }

  Array array_;
};

}  // namespace tenon
