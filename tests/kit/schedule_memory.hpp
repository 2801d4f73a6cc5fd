#pragma once
/// The memory of the deterministic scheduler: what a thread may still see of each word. atomics(C++20) by views, after
/// Kang and others, "A promising semantics for relaxed-memory concurrency", POPL 2017, without the promises.
///
/// Each word keeps all values that were stored into it, numbered in the order of the stores. A view says, for each
/// word, the oldest value that may still be read. A thread reads any value not older than its view; a release store
/// takes the thread's view along, and an acquire load of it adds that view to the reader's.
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace kit {

class View {
 public:
  std::uint32_t operator[](std::size_t word) const noexcept { return word < oldest_.size() ? oldest_[word] : 0; }
  void raise(std::size_t word, std::uint32_t to);
  void join(const View& other);
  /// Whether it is nowhere older than `other`.
  bool covers(const View& other) const noexcept;

 private:
  std::vector<std::uint32_t> oldest_;
};

/// What one thread knows.
struct Knowledge {
  View seen;
  View acquirable;    ///< came with relaxed loads; an acquire fence adds it to `seen`
  View released;      ///< as of the last release fence; relaxed stores take it along
  std::size_t clock;  ///< a word that only this thread raises, at each access: tells what happened before what

  void tick() { seen.raise(clock, seen[clock] + 1); }
};

/// A word of the scheduled program. Outside scheduled threads it is an ordinary variable.
class Word {
 public:
  explicit Word(std::uint64_t value);
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  std::uint64_t load(std::memory_order order) const;
  void store(std::uint64_t value, std::memory_order order);
  /// Replaces the newest value by change(value) unless `wanted` refuses it; returns the newest.
  std::uint64_t modify(const std::function<bool(std::uint64_t)>& wanted,
                       const std::function<std::uint64_t(std::uint64_t)>& change, std::memory_order order,
                       std::memory_order refused);

  /// Accesses as of a plain variable: they fail the run unless ordered against all others that conflict.
  std::uint64_t read_plain() const;
  void write_plain(std::uint64_t value);

 private:
  struct Store {
    std::uint64_t value;
    View view;
  };
  std::uint32_t newest() const noexcept { return static_cast<std::uint32_t>(stores_.size() - 1); }
  std::uint64_t take(Knowledge& reader, std::uint32_t which, std::memory_order order) const;
  void put(Knowledge& writer, std::uint64_t value, std::memory_order order, const View* continued);

  std::size_t id_;
  std::vector<Store> stores_;
  mutable View readers_;  // by thread's clock: its time at its last plain read
};

/// std::atomic_thread_fence
void thread_fence_of_run(std::memory_order order);

}  // namespace kit
