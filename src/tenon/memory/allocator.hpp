#pragma once
/// Blocks of a segment's memory: handed out, taken back and merged, in the same number of steps whatever there is.
///
/// 1. Roles. Whoever holds the segment's lock, within one transaction of its journal.
///
/// 2. Layout. Blocks stand gapless from the arena's first byte to its last, each behind its BlockHeader; the last is a
///    header alone and never free. Free blocks stand in one of 512 lists by their size (block_classes.hpp).
///
/// 3. Invariants. I1: each block's `before` is the size of the block in front of it. I2: no two free blocks adjoin.
///    I3: a free block stands in the list of its class, a taken one in none. I4: a bit of `first` and `second` is set
///    if and only if the lists below it are not all empty.
///
/// 4. Edges. The journal's: every word of I1 … I4 is changed through it, but those inside of free blocks that only this
///    transaction can lead to.
///
/// 5. Progress. Bounded: two bit searches, at most 32 blocks of one list, at most two merges. check() alone walks.
///
/// 6. If a process dies here, the journal undoes the transaction: a block that was handed out in it is free again, one
///    that was given back in it is still taken, with its content. So whoever allocates links the block to where it
///    belongs in the same transaction, and whoever frees one unlinks it there.
///
/// 7. Nothing that stands in the memory is believed: a block is one only if the check in its header fits its place and
///    it ends where another begins; what does not fit is `corrupt`, and the transaction is rolled back.
#include <tenon/base/result.hpp>
#include <tenon/memory/journal.hpp>

#include <cstdint>

namespace tenon {

struct BlockUsage {
  std::uint64_t taken_bytes = 0;  ///< headers included
  std::uint64_t taken_blocks = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t free_blocks = 0;
  std::uint64_t largest_free = 0;
};

/// Lives no longer than the transaction that it works in: what was freed in it is not handed out again in it.
class Allocator {
 public:
  static constexpr std::uint64_t most_alignment = 4096;

  Allocator(Arena arena, FreeBlocksLayout& free, Journal& journal) noexcept
      : arena_(arena), free_(&free), journal_(&journal) {}

  /// Where `bytes` bytes stand that are the caller's, aligned to a power of two of at most a page, to 16 at least.
  /// Their content is undefined. Failures: no_space, invalid_argument (the alignment), corrupt.
  Result<std::uint64_t> allocate(std::uint64_t bytes, std::uint64_t alignment);
  /// Failures: corrupt (no taken block stands there: it was freed already, or never was one).
  Result<void> free(std::uint64_t offset);
  /// How many bytes the block there has for its owner. Failures: corrupt.
  Result<std::uint64_t> size_of(std::uint64_t offset) const;

  /// Takes in the bytes from `from`, where the arena ended, to where it ends now. Failures: corrupt.
  Result<void> extend(std::uint64_t from);
  /// Makes the first block of an empty arena, which is but a header: the rest comes by extend().
  void initialise() noexcept;

  /// Walks all blocks and all lists. Failures: corrupt, with what does not hold and where.
  Result<BlockUsage> check() const;

 private:
  struct Block;

  Block block_at(std::uint64_t offset) const noexcept;
  Block block_behind(const Block& block) const noexcept;
  FreeBlock* free_block_at(std::uint64_t offset) const noexcept;
  std::uint64_t first_that_fits(std::uint64_t size) const noexcept;
  std::uint64_t first_of_its_class(std::uint64_t size) const noexcept;
  bool unlink(const Block& block) noexcept;
  void link(std::uint64_t offset, std::uint64_t size, bool content_matters) noexcept;
  void write_header(std::uint64_t offset, std::uint64_t size, std::uint64_t before) noexcept;
  bool split_front(Block& block, std::uint64_t alignment) noexcept;
  Result<std::uint64_t> take(Block block, std::uint64_t needed, std::uint64_t alignment);
  Result<void> check_lists(std::uint64_t free_blocks) const;
  std::uint64_t length_of_list(unsigned range, unsigned step, std::uint64_t most) const noexcept;

  Arena arena_;
  FreeBlocksLayout* free_;
  Journal* journal_;
  bool freed_ = false;
};

}  // namespace tenon
