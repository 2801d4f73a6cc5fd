#pragma once
/// What a segment's metadata was before somebody began to change it, so that his death half-way changes nothing.
///
/// 1. Roles. Whoever holds the segment's lock, one thread of one process at a time.
///
/// 2. Layout. JournalLayout in segment_layout.hpp: a count and so many records of a word's place and its old value.
///
/// 3. Invariants. I1: while count is 0, every word that is changed through journals is as a whole transaction left it.
///    I2: a word that was changed since the transaction began stands in one of the first `count` records, and the
///    earliest of them that names it has the value from before the transaction. I3: memory that no word of I1 leads to,
///    such as a block that was allocated in this transaction and is linked nowhere, needs no record. I4: a block that
///    was freed in this transaction is not allocated again in it, for its content must survive a rollback.
///
/// 4. Edges. All of one thread, in program order: J1 record → count: a record that counts is whole. J2 count → word:
///    a word that is changed is recorded. J3 words → count 0: what was changed stays changed. Fences of the compiler
///    are enough for them. Whoever looks next comes by the lock. From a living holder, unlocking orders all that it
///    wrote. From a dead one, its thread was stopped between two instructions: those before have been executed, those
///    behind have not, whatever order the processor gave the stores; and they are ordered before the kernel's
///    exchange of the lock's word, made on that thread's behalf, that lets the next one in.
///
/// 5. Progress. Wait-free: a store costs three more. Nothing is written to a disk: it is a process that dies here, not
///    the machine.
///
/// 6. If a process dies here. Before J1: nothing counts, nothing was changed. Between J1 and J2, or behind: the next
///    who locks writes the old values back, the latest first, and then sets count to 0. Killed in the middle of that,
///    the one after it does all of it again: old values are absolute, so twice is as good as once. Behind J3: it is
///    done.
///
/// 7. Use instead: for elements that move in a row, whose number has no bound, gap.hpp. For what an application
///    overwrites in place nothing helps but its own repair (LockedSegment::recovered).
#include <tenon/base/contract.hpp>
#include <tenon/memory/arena.hpp>

#include <atomic>
#include <cstdint>

namespace tenon {

/// The journal of a segment that is locked.
class Journal {
 public:
  Journal(Arena arena, JournalLayout& layout) noexcept : arena_(arena), layout_(&layout) {}

  /// Changes a word of the segment for as long as the transaction holds: for good once it is committed.
  void put(std::uint64_t& word, std::uint64_t value) noexcept {
    keep(word);
    // relaxed: J2 stands before it, J3 behind it
    std::atomic_ref(word).store(value, std::memory_order_relaxed);
  }
  /// Keeps the value of a word that is about to be overwritten otherwise.
  void keep(const std::uint64_t& word) noexcept {
    expects(count_ < JournalLayout::capacity, "a transaction changes no more words than the journal holds");
    JournalRecord& record = layout_->records[count_++];
    record.offset = arena_.offset_of(&word);
    record.old_value = loaded(word);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // J1
    // relaxed: J1 stands before it, J2 behind it
    std::atomic_ref(layout_->count).store(count_, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // J2
  }
  /// Keeps all words that `length` bytes from `place` on touch.
  void keep_bytes(const void* place, std::uint64_t length) noexcept;

  /// Said by a Transaction alone. One within another would commit what the other may still roll back.
  void begin() noexcept {
    expects(!is_open_, "a transaction ends before the next begins: a constructor does not change its segment");
    is_open_ = true;
  }
  /// All that was stored since the last time stays.
  void commit() noexcept {
    is_open_ = false;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // J3
    // relaxed: J3 stands before it; what comes behind is the next transaction's record, or the unlocking
    std::atomic_ref(layout_->count).store(count_ = 0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // J1: the next record is not written before this
  }
  /// Nothing that was stored since the last commit stays, whoever stored it. False if the journal names what cannot be:
  /// then nothing was touched.
  bool roll_back() noexcept;

  bool is_empty() const noexcept { return loaded(layout_->count) == 0; }
  /// After the segment has grown, or its size was rolled back.
  void set_arena(Arena arena) noexcept { arena_ = arena; }

 private:
  std::uint64_t* journalled_word(std::uint64_t offset) const noexcept;

  Arena arena_;
  JournalLayout* layout_;
  std::uint64_t count_ = 0;
  bool is_open_ = false;
};

/// Rolls back what was stored since it began, unless it is committed. There is one at a time.
class Transaction {
 public:
  explicit Transaction(Journal& journal) noexcept : journal_(&journal) { journal.begin(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (journal_ != nullptr) {
      expects(journal_->roll_back(), "nobody but who holds the lock writes the journal");
    }
  }

  void put(std::uint64_t& word, std::uint64_t value) noexcept { journal_->put(word, value); }
  Journal& journal() const noexcept { return *journal_; }
  void commit() noexcept {
    journal_->commit();
    journal_ = nullptr;
  }

 private:
  Journal* journal_;
};

}  // namespace tenon
