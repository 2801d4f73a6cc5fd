#pragma once
/// A ring for any number of producers and consumers. After Dmitry Vyukov's bounded queue (1024cores.net, 2010).
///
/// 1. Roles. Any thread of any process that maps the memory pushes and pops; recover() is for one who knows that nobody
///    else is at it.
/// 2. Layout. base/shared_array.hpp; own words: `tail` for producers and `head` for consumers, each on a line of its
/// own.
///
///        byte 0       64                  128                 192
///             | array | tail u64 reserved | head u64 reserved | number u64 | value … | number | value | …
///
/// 3. Invariants. I1: message p stands in slot p mod slots. I2: the slot's number is p while it is free for message p,
///    p + 1 while message p is there whole, p + slots once it has been taken. I3: whoever moved `tail` from p to p + 1
///    alone writes the slot until its number is p + 1; likewise `head`, until it is p + slots. I4: numbers are compared
///    by their difference: they may wrap.
/// 4. Edges.
///      S1  store-release of a number, full (publish) → load-acquire (pop): publishes the value.
///      S2  store-release of a number, free (release) → load-acquire (loan): the value has been read.
/// 5. Progress. A push or pop that finds nothing to do is wait-free; else lock-free but for this: who has claimed a
///    slot and stands still holds up those who come to it later.
/// 6. If a process dies here. Between claiming a slot and its number, producer or consumer: the ring is stuck as soon
/// as
///    the others come to this slot; they are told so by nothing but an empty or full ring. recover(), once all others
///    have left, takes out what was claimed: what was not sent never was, and what was taken by one who died is gone.
/// 7. Use instead. A queue, whose messages survive their consumers and whose users need not be told; sequenced_ring or
///    draining_ring for one producer and one consumer, which are several times as fast.
#include <tenon/base/shared_array.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tenon {

/// T must be trivially copyable: it is read by another process. A view: copies stand for the same ring.
template <class T, template <class> class Atomic = std::atomic>
class MpmcRing {
 public:
  struct Header {
    ArrayHeader array;
    alignas(cache_line) Atomic<std::uint64_t> tail{0};
    alignas(cache_line) Atomic<std::uint64_t> head{0};
  };
  struct Slot {
    Atomic<std::uint64_t> number{0};
    T value{};
  };
  using Array = SharedArray<Header, Slot>;
  static constexpr ArrayKind kind = Array::kind_of("mpmc ring", 0x3147524d'4e4e5454, 1, 2);

  /// What `slots` slots take. Failures: invalid_argument (no power of two).
  static Result<std::size_t> bytes_for(std::uint64_t slots) { return bytes_of_array(kind, slots); }
  /// Makes an empty ring of at least two slots in memory that nobody else sees yet. Failures: invalid_argument (too
  /// small, not on a line, no power of two, a single slot, whose numbers would mean two things).
  static Result<MpmcRing> initialise(MutableBytes memory, std::uint64_t slots, std::uint64_t first = 0) {
    return Array::initialise(kind, memory, slots).transform([&](Array array) {
      return MpmcRing(array.header(), array.elements(), first);
    });
  }
  /// The ring that another has made there. Failures: wrong_kind, version_mismatch, type_mismatch, corrupt.
  static Result<MpmcRing> open(MutableBytes memory) {
    return Array::open(kind, memory).transform([](Array array) { return MpmcRing(array); });
  }
  /// An empty ring out of parts of one's own: two slots or more, a power of two, and nobody else sees them yet.
  MpmcRing(Header& header, std::span<Slot> slots, std::uint64_t first) noexcept : array_(header, slots) {
    header.tail.store(first, std::memory_order_relaxed);  // nobody else sees it yet
    header.head.store(first, std::memory_order_relaxed);  // nobody else sees it yet
    for (std::uint64_t p = first; p - first < slots.size(); ++p) {
      slot_of(p).number.store(p, std::memory_order_relaxed);  // nobody else sees it yet
    }
  }

  /// A slot that is the caller's alone until it says publish() or release().
  struct Claimed {
    T* value;
    std::uint64_t number;
  };

  /// A slot to write to; nothing when the ring is full. Must be followed by publish().
  std::optional<Claimed> try_loan() noexcept { return claim(array_.header().tail, 0); }
  void publish(Claimed claimed) noexcept {
    slot_of(claimed.number).number.store(claimed.number + 1, std::memory_order_release);  // S1
  }
  /// A slot to read from; nothing when the ring is empty. Must be followed by release().
  std::optional<Claimed> try_take() noexcept { return claim(array_.header().head, 1); }
  void release(Claimed claimed) noexcept {
    slot_of(claimed.number).number.store(claimed.number + slots(), std::memory_order_release);  // S2
  }
  /// False when the ring is full.
  bool try_push(const T& value) noexcept {
    const auto claimed = try_loan();
    if (claimed) {
      *claimed->value = value;
      publish(*claimed);
    }
    return claimed.has_value();
  }
  /// Nothing when the ring is empty.
  std::optional<T> try_pop() noexcept {
    const auto claimed = try_take();
    if (!claimed) {
      return std::nullopt;
    }
    std::optional<T> value(*claimed->value);
    release(*claimed);
    return value;
  }

  /// Takes out what processes that died had claimed: slots of messages that were never sent, and of those that were
  /// taken and not released. The other messages keep their order. Nobody else may use the ring meanwhile; who dies in
  /// it leaves a ring that can be recovered again, in which one message may stand twice. Returns how many were claimed.
  std::uint64_t recover() noexcept;

  std::uint64_t slots() const noexcept { return array_.elements().size(); }

 private:
  explicit MpmcRing(Array array) noexcept : array_(array) {}
  Slot& slot_of(std::uint64_t at) const noexcept { return array_.elements()[at & (array_.elements().size() - 1)]; }

  // `ahead`: how far the number of a slot that can be claimed is ahead of its message.
  std::optional<Claimed> claim(Atomic<std::uint64_t>& counter, std::uint64_t ahead) noexcept {
    std::uint64_t at = counter.load(std::memory_order_relaxed);  // a guess: the exchange below decides
    while (true) {
      Slot& slot = slot_of(at);
      const std::uint64_t number = slot.number.load(std::memory_order_acquire);  // S1 and S2
      if (number == at + ahead) {
        // relaxed: who has the number has all that comes with it, by the slot's own edge
        if (counter.compare_exchange_weak(at, at + 1, std::memory_order_relaxed, std::memory_order_relaxed)) {
          return Claimed{.value = &slot.value, .number = at};
        }
      } else if (static_cast<std::int64_t>(number - (at + ahead)) < 0) {
        return std::nullopt;
      } else {
        at = counter.load(std::memory_order_relaxed);  // a guess, as above: others were here first
      }
    }
  }

  Array array_;
};

// Moves each whole message that stands behind a gap to the gap, one after the other, then closes the end. A message is
// copied before its old slot is given up, so dying in between shows it twice at worst, never not at all.
template <class T, template <class> class Atomic>
std::uint64_t MpmcRing<T, Atomic>::recover() noexcept {
  Header& header = array_.header();
  const std::uint64_t head = header.head.load(std::memory_order_relaxed);  // alone: nobody else uses the ring meanwhile
  // relaxed: nobody else uses the ring meanwhile
  const std::uint64_t sent = header.tail.load(std::memory_order_relaxed) - head;
  const std::uint64_t tail = head + std::min(sent, slots());  // no producer can have written more
  std::uint64_t claimed = 0;
  // Behind head: taken by one who died before it released them.
  for (std::uint64_t p = tail - slots(); p != head && head - p <= slots(); ++p) {
    Slot& slot = slot_of(p);
    if (slot.number.load(std::memory_order_relaxed) == p + 1) {   // alone: nobody else uses the ring meanwhile
      slot.number.store(p + slots(), std::memory_order_relaxed);  // alone: nobody else uses the ring meanwhile
      ++claimed;
    }
  }
  std::uint64_t next = head;
  for (std::uint64_t p = head; p != tail; ++p) {
    Slot& slot = slot_of(p);
    if (slot.number.load(std::memory_order_relaxed) != p + 1) {  // alone: nobody else uses the ring meanwhile
      ++claimed;
      continue;
    }
    if (next != p) {
      slot_of(next).value = slot.value;
      slot_of(next).number.store(next + 1, std::memory_order_release);  // S1
      slot.number.store(p, std::memory_order_release);                  // S1, after the copy's: not never at all
    }
    ++next;
  }
  header.tail.store(next, std::memory_order_relaxed);  // alone: nobody else uses the ring meanwhile
  return claimed;
}

}  // namespace tenon
