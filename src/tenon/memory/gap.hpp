#pragma once
/// How elements in a row move up or down by one, so that whoever dies in the middle of it loses and doubles none.
///
/// 1. Roles. Whoever holds the segment's lock.
///
/// 2. Layout. GapLayout in segment_layout.hpp.
///
/// 3. Invariants, while `active` is 1: I1: of the elements 0 … `last` of the run all but the one at `at` are whole, and
///    in their order: it is a gap, which may be half-written. I2: moving the gap up to `last`, and then writing `size`
///    to the run's count, gives the elements before an insertion, or after an erasure.
///
/// 4. Edges. All of one thread, in program order, as in journal.hpp: G1 the fields → active. G2 active → the first
///    element that is moved. G3 an element → `at`, which then names the next one. G4 elements and count → active 0.
///
/// 5. Progress. Wait-free: a copy and a store for each element that moves.
///
/// 6. If a process dies here. Before G1: nothing. While active: the next who locks moves the gap up to `last` and
///    writes the count: an insertion is undone, an erasure is finished, which needs no room and cannot fail. Killed in
///    the middle of that, the one after it goes on from where `at` says; the element there it copies again.
#include <tenon/memory/arena.hpp>

#include <cstdint>

namespace tenon {

/// A run of elements in a segment and where its count stands.
struct ElementRun {
  std::uint64_t elements;
  std::uint64_t element_size;
  std::uint64_t* size_word;
};

class Gap {
 public:
  Gap(Arena arena, GapLayout& layout) noexcept : arena_(arena), layout_(&layout) {}

  /// Makes room before the element at `index` of `count`, copies `element` there and counts it. There is room for one
  /// more behind the last, and `element` is none of the run's.
  void insert(const ElementRun& run, std::uint64_t index, std::uint64_t count, const void* element) noexcept;
  /// Removes the element at `index` of `count`.
  void erase(const ElementRun& run, std::uint64_t index, std::uint64_t count) noexcept;

  bool is_active() const noexcept { return loaded(layout_->active) != 0; }
  /// Goes on where somebody died. False if the gap is where none can be: then nothing was touched.
  bool finish() noexcept;

 private:
  void begin(const ElementRun& run, std::uint64_t at, std::uint64_t last, std::uint64_t size) noexcept;
  void end(std::uint64_t& size_word, std::uint64_t size) noexcept;
  void move(std::byte* elements, std::uint64_t element_size, std::uint64_t from, std::uint64_t to) noexcept;

  Arena arena_;
  GapLayout* layout_;
};

}  // namespace tenon
