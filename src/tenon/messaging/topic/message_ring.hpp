#pragma once
/// A topic's index ring: one publisher writes entries, any number of subscribers read them through read-only maps.
/// Short messages stand in the entry itself, long ones in a chunk that the entry names.
///
/// 1. Roles. One Writer, used by one thread at a time, alone writes the memory. Any number of Readers, each used by one
///    thread at a time.
/// 2. Layout. A power of two of entries, two or more, each on lines of its own; of 5 words (one line, messages of up to
///    40 bytes) or 13 (two lines, up to 104 bytes):
///
///        byte 0        8       16       24                 64 or 128
///             | number | time  | about  | word u64 | … |
///             | u64    | u64   | u64    |
///
///    about: bits 0–39 bytes of the message, bits 40–55 the publisher's processor, bits 56–63 its form (inline or
///    chunk). Of a message in a chunk the first word is the chunk's number.
/// 3. Invariants. I1: message p stands in entry p mod entries. I2: the entry's number is p while message p is being
///    written, p + 1 when it is there whole, p + 1 − entries before; p also from when that older one was taken back.
///    I3: a writer publishes message p only while p ≠ limit, which gate_scan.hpp finds. I4: numbers are compared by
///    equality or their signed difference: they wrap.
/// 4. Edges.
///      M1  store-release of a number, whole (publish) → load-acquire (look): publishes the entry's words, and the
///          bytes of the chunk that they name.
///      M2  fence-release after a number, being written (publish) → fence-acquire after the words (look): who has seen
///          a word of the next message sees that its number has changed.
///      M3  number, being written or taken back; fence-seq_cst (chunk_pool.hpp, C1) ↔ pin; fence-seq_cst; number
///      (still_there): of
///          the publisher that takes a chunk back and the subscriber that pins it at least one sees the other.
/// 5. Progress. Wait-free, all of it. publish() is the same stores for one subscriber as for a thousand; first_free()
///    takes steps in the logarithm of the number of entries.
/// 6. If a process dies here. The publisher between the two stores of a number: the message was never sent, the reader
///    finds nothing new, and the older message of that entry has gone, as publishing it would have made it go. Between
///    the last store and the bell: the message is sent, and sleepers find it at their next look. A reader writes
///    nothing.
/// 7. Use instead. Topic, which this is a part of; ring/broadcast_ring alone, between threads or without discovery.
#include <tenon/base/fence.hpp>
#include <tenon/messaging/topic/message_layout.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tenon {

template <class Entry>
class MessageRing {
 public:
  /// What a reader takes out of an entry, of which it wants the first N words.
  template <std::size_t N>
  struct Copy {
    std::uint64_t time;
    std::uint64_t about;
    std::array<std::uint64_t, N> word;
  };
  enum class Seen : unsigned char {
    message,  ///< a copy was made
    nothing,  ///< nothing new
    gap,      ///< it was overwritten: skip() goes on behind
  };

  explicit MessageRing(std::span<Entry> entries) noexcept : entries_(entries) {}

  /// Before anybody else sees them: empty, the next message is number `first`.
  void initialise(std::uint64_t first) noexcept {
    for (std::uint64_t p = first; p - first < entries_.size(); ++p) {
      entry_of(p).number.store(p + 1 - entries_.size(), std::memory_order_relaxed);  // nobody else sees it yet
    }
  }

  class Writer {
   public:
    Writer(MessageRing ring, std::uint64_t first) noexcept : ring_(ring), at_(first), limit_(first) {}

    /// Whether one more may be published without looking at the subscribers again.
    bool may_publish() const noexcept { return at_ != limit_; }
    void allow_up_to(std::uint64_t limit) noexcept { limit_ = limit; }

    template <std::size_t N>
      requires(N <= Entry::words)
    void publish(std::uint64_t time, MessageAbout about, const std::array<std::uint64_t, N>& words) noexcept {
      Entry& entry = ring_.entry_of(at_);
      entry.number.store(at_, std::memory_order_relaxed);            // M2, by the fence after it; M3
      thread_fence(entry.number, std::memory_order_release);         // M2
      entry.time.store(time, std::memory_order_relaxed);             // M1, by the number after it
      entry.about.store(about.packed(), std::memory_order_relaxed);  // M1, by the number after it
      store(entry, words, std::make_index_sequence<N>());
      ++at_;
      entry.number.store(at_, std::memory_order_release);  // M1
    }
    /// Takes back the message that one of those to come is to overwrite, the next or so many behind it, fewer than
    /// there are entries: nobody finds it any more. As if that one were being written.
    void withdraw(std::uint64_t ahead) noexcept {
      ring_.entry_of(at_ + ahead).number.store(at_ + ahead, std::memory_order_relaxed);  // M3
    }
    /// The number of the next message.
    std::uint64_t next() const noexcept { return at_; }
    std::uint64_t limit() const noexcept { return limit_; }

   private:
    // Without a loop, as load() below: its counting costs more than its work.
    template <std::size_t N, std::size_t... I>
    static void store(Entry& entry, const std::array<std::uint64_t, N>& words, std::index_sequence<I...>) noexcept {
      (entry.word[I].store(words[I], std::memory_order_relaxed), ...);  // M1, by the number after it
    }

    MessageRing ring_;
    std::uint64_t at_;
    std::uint64_t limit_;
  };

  class Reader {
   public:
    Reader(MessageRing ring, std::uint64_t at) noexcept : ring_(ring), at_(at) {}

    /// Whether look() has a message or a gap to tell of.
    bool has_news() const noexcept {
      return static_cast<std::int64_t>(ring_.entry_of(at_).number.load(std::memory_order_relaxed) - at_) >
             0;  // look() orders
    }
    /// Copies the message at next(), and stays there.
    template <std::size_t N>
      requires(N <= Entry::words)
    [[gnu::always_inline]] Seen look(Copy<N>& into) const noexcept {
      const Entry& entry = ring_.entry_of(at_);
      const std::uint64_t number = entry.number.load(std::memory_order_acquire);  // M1
      if (number != at_ + 1) {
        // One load alone: who waits takes the line away from the publisher with each.
        return is_ahead(number) ? Seen::gap : Seen::nothing;
      }
      into.time = entry.time.load(std::memory_order_relaxed);    // M1 before, M2 after
      into.about = entry.about.load(std::memory_order_relaxed);  // M1 before, M2 after
      load(entry, into.word, std::make_index_sequence<N>());
      thread_fence(entry.number, std::memory_order_acquire);                      // M2
      const bool whole = entry.number.load(std::memory_order_relaxed) == number;  // M2
      return whole ? Seen::message : Seen::gap;
    }
    /// Whether what look() copied has not been overwritten since. After a pin and a full fence, it cannot be any more.
    bool still_there() const noexcept {
      return ring_.entry_of(at_).number.load(std::memory_order_relaxed) == at_ + 1;  // M2, M3, by the fence before it
    }
    void advance() noexcept { ++at_; }
    /// Goes on where it is not overtaken again at once; returns how many messages it leaves out, 0 if none is gone.
    std::uint64_t skip() noexcept {
      const std::uint64_t newest = ring_.entry_of(at_).number.load(std::memory_order_relaxed);  // look() reads it again
      const std::uint64_t entries = ring_.entries_.size();
      const std::uint64_t to = newest - entries + entries / 4 + 1;
      if (!is_ahead(newest) || static_cast<std::int64_t>(to - at_) <= 0) {
        return 0;
      }
      const std::uint64_t left_out = to - at_;
      at_ = to;
      return left_out;
    }
    /// Leaves out what lies before message `to`.
    std::uint64_t skip_to(std::uint64_t to) noexcept { return to - std::exchange(at_, to); }
    std::uint64_t next() const noexcept { return at_; }

   private:
    template <std::size_t N, std::size_t... I>
    static void load(const Entry& entry, std::array<std::uint64_t, N>& into, std::index_sequence<I...>) noexcept {
      ((into[I] = entry.word[I].load(std::memory_order_relaxed)), ...);  // M1 before, M2 after
    }
    // The writer is at message p or behind it if number is p or p + 1, and p one lap or more ahead.
    bool is_ahead(std::uint64_t number) const noexcept { return static_cast<std::int64_t>(number - at_) > 1; }

    MessageRing ring_;
    std::uint64_t at_;
  };

  /// The number of the next message, as of some moment during the call. `known` was such a number before, or is the
  /// first of all.
  std::uint64_t first_free(std::uint64_t known) const noexcept {
    constexpr int most_steps = 128;  // a writer that is always faster than this lies
    std::uint64_t step = 1;
    std::uint64_t from = known;  // all before it are published
    for (int i = 0; i < most_steps && is_published(from + step - 1); ++i) {
      from += step;
      step = step < entries_.size() ? step * 2 : step;
    }
    std::uint64_t to = from + step - 1;  // was not published
    while (to != from) {
      const std::uint64_t middle = from + (to - from) / 2;
      if (is_published(middle)) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return to;
  }

  std::size_t entries() const noexcept { return entries_.size(); }

 private:
  Entry& entry_of(std::uint64_t at) const noexcept { return entries_[at & (entries_.size() - 1)]; }
  // Also if it was overwritten since.
  bool is_published(std::uint64_t at) const noexcept {
    const std::uint64_t number = entry_of(at).number.load(std::memory_order_relaxed);  // only counted: look() orders
    return static_cast<std::int64_t>(number - at) > 0;
  }

  std::span<Entry> entries_;
};

}  // namespace tenon
