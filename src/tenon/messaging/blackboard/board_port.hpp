#pragma once
/// A process at a blackboard: finds and adds keys, locks an entry to write it, rings for who waits, and waits.
///
/// 1. Roles. Any thread of any process that has the file open for writing adds keys and writes any of them, one at a
///    time by the mutex of the entry; who reads writes nothing. Who waits writes the bell alone, or, where the file is
///    open for reading alone, looks once in recheck_interval (os/futex).
/// 2. Layout. board_layout.hpp.
/// 3. Invariants. I1: entries 0 … n - 1 are ready, and no other; key and type of one that is ready never change. I2:
///    each entry that is ready has its place in the table, but for the last one while it is being added. I3: values are
///    in an entry's copies as SequencedCopies has it.
/// 4. Edges.
///      K1  store-release of the place in the table (add) → load-acquire (find): publishes key and type.
///      K2  store-release of `ready` (add) → load-acquire (is_ready): publishes key and type.
///      K3  store-release of the count, behind the other two (add): who dies here has not raised it before them. Who
///          repairs reads it under the mutex.
///      Those of the copies: sequenced_copies.hpp. Those of the bells: topic_bell.hpp, B1 and B2; the news is the
///      state.
/// 5. Progress. find() and reading are lock-free and never wait for a writer; writing and adding block each other, by
///    key.
/// 6. If a process dies here. While it writes: the value was never stored, the next writer of the key takes the mutex
///    over and writes into the same copy. While it adds, before `ready`: nothing was added, and the next one uses the
///    entry; behind it: the next one who adds gives the entry its place first. Between its value and its wake: who
///    waits looks again within recheck_interval.
/// 7. Use instead. SequenceLock for one value with one writer; a topic where each value counts, or where who writes is
///    not trusted: whoever may write the file can write all of it.
#include <tenon/base/deadline.hpp>
#include <tenon/messaging/blackboard/board_file.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/fork_count.hpp>
#include <tenon/os/futex.hpp>
#include <tenon/os/own_processor.hpp>
#include <tenon/os/stop.hpp>
#include <tenon/sync/holder.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

namespace tenon {

class BoardPort {
 public:
  /// Of a new board. Outcomes: already_exists. Failures: as BoardFile::create(); in_child, and not_found (the holder
  /// has left its domain).
  static Result<std::unique_ptr<BoardPort>> create(const Holder& holder, std::string_view name,
                                                   const BoardOptions& options, const BoardTypes& types);
  /// Outcomes: not_found. Failures: as BoardFile::open(); in_child.
  static Result<std::unique_ptr<BoardPort>> open(const Holder& holder, std::string_view name);
  /// For who only reads, and need be no member of the domain. Outcomes and failures: as BoardFile::open().
  static Result<std::unique_ptr<BoardPort>> open_for_reading(const Domain& domain, std::string_view name);

  const BoardFile& file() const noexcept { return file_; }

  std::optional<std::uint32_t> find(Bytes key) const noexcept;
  /// Finds it, or adds it as one of value type `type`. Outcomes: timed_out, stopped. Failures: limit_reached (there is
  /// no entry left), permission_denied (open for reading alone), in_child.
  Result<std::uint32_t> find_or_add(Bytes key, std::uint32_t type, Deadline deadline);
  bool is_ready(std::uint32_t entry) const noexcept {
    return file_.entry(entry).ready.load(std::memory_order_acquire) != 0;  // K2
  }
  /// Of an entry that was found.
  std::uint32_t type_of(std::uint32_t entry) const noexcept { return file_.entry(entry).type; }

  /// The next value of an entry, whose word `i` is `word_at(i)`; returns its number. Outcomes: timed_out, stopped.
  /// Failures: permission_denied, in_child, limit_reached.
  template <class WordAt>
  [[gnu::always_inline]] Result<std::uint64_t> write(std::uint32_t entry, std::size_t words, WordAt word_at,
                                                     Deadline deadline) {
    auto guard = lock(entry, deadline);
    if (!guard) [[unlikely]] {
      return fail(std::move(guard.error()));
    }
    SequencedCopies<> copies = file_.copies(entry);
    const std::array<std::uint64_t, head_words> head{static_cast<std::uint64_t>(monotonic_now()), self_.value()};
    copies.write(head_words + words, [&](std::size_t i) { return i < head_words ? head[i] : word_at(i - head_words); });
    const std::uint64_t number = copies.number();
    std::move(*guard).unlock();
    ring(entry);
    return number;
  }
  /// Gives each word of the entry's newest value, or of the one `back` values before, to `take(i, word)`; again where
  /// it was overtaken meanwhile. Outcomes: not_found (there were not so many values).
  template <class Take>
  [[gnu::always_inline]] Result<ValueStamp> read(std::uint32_t entry, std::uint64_t back, std::size_t words,
                                                 Take take) const {
    const SequencedCopies<> copies = file_.copies(entry);
    while (true) {
      const std::uint64_t newest = copies.number();
      if (newest <= back) [[unlikely]] {
        return fail(Errc::not_found, "Blackboard::read");
      }
      std::array<std::uint64_t, head_words> head;
      const auto take_all = [&](std::size_t i, std::uint64_t word) {
        i < head_words ? static_cast<void>(head[i] = word) : take(i - head_words, word);
      };
      if (copies.read(newest - back, head_words + words, take_all)) [[likely]] {
        return ValueStamp{
            .number = newest - back, .time = static_cast<std::int64_t>(head[0]), .writer = Token::from(head[1])};
      }
    }
  }

  /// Until the entry has a newer value than this. A deadline that is over makes no system call. Outcomes: timed_out,
  /// stopped.
  Result<void> wait(std::uint32_t entry, std::uint64_t number, Deadline deadline);
  /// Until `is_there()` says so, which is asked after each write of any key. Outcomes: timed_out, stopped.
  template <class IsThere>
  Result<void> wait_for_any(IsThere is_there, Deadline deadline) {
    return wait_at(bell_in(file_.state().any_bell), 0, is_there, deadline);
  }

 private:
  BoardPort(Token self, BoardFile file) noexcept;
  static Result<std::unique_ptr<BoardPort>> own(Token self, Result<BoardFile> file);

  static constexpr std::size_t head_words = sizeof(BoardCopyHead) / 8;

  Result<MutexGuard> lock(std::uint32_t entry, Deadline deadline);
  void ring(std::uint32_t entry) noexcept {
    if (!registered_ || file_.state().barred.load(std::memory_order_relaxed) != 0)
        [[unlikely]] {  // a flag, set at first
      fence_before_ringing(bell_in(file_.entry(entry).bell).word());
    }
    wake(bell_in(file_.entry(entry).bell));
    wake(bell_in(file_.state().any_bell));
  }
  Result<void> may_write(const char* call) const;
  void repair() noexcept;
  void give_place(std::uint32_t entry) noexcept;
  std::size_t first_place(Bytes key) const noexcept;
  static void wake(BellWord<>& bell) noexcept {
    if (bell.is_wanted()) [[unlikely]] {
      bell.silence();
      futex_wake_all(bell.word());
    }
  }
  /// Announces itself, and makes the barrier for the writers. Returns what to sleep by.
  std::uint32_t announce(BellWord<>& bell) noexcept;
  template <class IsThere>
  Result<void> wait_at(BellWord<>& bell, int looks_before_sleep, IsThere is_there, Deadline deadline) {
    if (is_there()) {
      return {};
    }
    if (deadline.is_immediate()) {
      return fail(stop_requested(deadline) ? Errc::stopped : Errc::timed_out, "Blackboard::wait");
    }
    for (int look = 0; look < looks_before_sleep; ++look) {
      pause_processor();
      if (is_there()) {
        return {};
      }
    }
    while (true) {
      const std::uint32_t told = announce(bell);
      if (is_there()) {
        return {};
      }
      if (auto slept = futex_wait(bell.word(), told, deadline); !slept) {
        return is_there() ? Result<void>() : slept;
      }
    }
  }

  Token self_;
  BoardFile file_;
  bool registered_;
  std::uint32_t fork_;
};

/// A value's bytes as words; of the last word what is behind the value is zero.
class ValueWords {
 public:
  constexpr explicit ValueWords(std::size_t bytes) noexcept : count_((bytes + 7) / 8), last_((bytes + 7) % 8 + 1) {}
  constexpr std::size_t count() const noexcept { return count_; }
  std::uint64_t get(const std::byte* value, std::size_t i) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, value + 8 * i, bytes_of(i));
    return word;
  }
  void put(std::byte* value, std::size_t i, std::uint64_t word) const noexcept {
    std::memcpy(value + 8 * i, &word, bytes_of(i));
  }

 private:
  constexpr std::size_t bytes_of(std::size_t i) const noexcept { return i + 1 < count_ ? 8 : last_; }
  std::size_t count_;
  std::size_t last_;
};

/// Which entries have values that it has not told of. Threads: one at a time.
class BoardChanges {
 public:
  enum class From : unsigned char { beginning, now };
  BoardChanges(BoardPort& port, From from);

  struct Change {
    std::uint32_t entry;
    std::uint64_t number;  ///< of its newest value
  };
  /// The next of them in the order of the entries, once for all its values. Outcomes: timed_out, stopped.
  Result<Change> next(Deadline deadline);

 private:
  void meet_new_keys();
  std::uint64_t number_of(std::size_t entry) const noexcept {
    return port_->file().copies(static_cast<std::uint32_t>(entry)).number();
  }
  bool find_change() noexcept;

  BoardPort* port_;
  std::vector<std::uint64_t> told_;
  Change last_{.entry = UINT32_MAX, .number = 0};
};

}  // namespace tenon
