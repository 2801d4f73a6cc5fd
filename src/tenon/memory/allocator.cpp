#include <tenon/memory/allocator.hpp>

#include <tenon/base/contract.hpp>
#include <tenon/memory/block_classes.hpp>

#include <algorithm>
#include <bit>
#include <string>

namespace tenon {

namespace {

constexpr std::uint64_t header_size = sizeof(BlockHeader);
constexpr std::uint64_t taken_bit = 1;
constexpr std::uint64_t size_mask = (std::uint64_t{1} << 48) - block_grain;
constexpr int most_tries = 32;

// In a header's upper bits: who frees what is no block has to guess them.
constexpr std::uint64_t check_of(std::uint64_t offset) noexcept {
  return ((offset / block_grain + 1) * 0x9e3779b97f4a7c15) & (std::uint64_t{0xffff} << 48);
}

constexpr std::uint64_t rounded_up(std::uint64_t value, std::uint64_t to) noexcept {
  return (value + to - 1) & ~(to - 1);
}

Fail corrupt(const char* call, std::uint64_t offset, const char* what) {
  return fail(Error(Errc::corrupt, call).because("at byte " + std::to_string(offset) + ": " + what));
}

}  // namespace

// What a header said when it was read: it is not read again.
struct Allocator::Block {
  std::uint64_t offset = 0;
  BlockHeader* header = nullptr;  // nullptr: no block stands there
  std::uint64_t size = 0;
  bool taken = false;

  explicit operator bool() const noexcept { return header != nullptr; }
  bool is_free() const noexcept { return header != nullptr && !taken && size >= smallest_block; }
};

Allocator::Block Allocator::block_at(std::uint64_t offset) const noexcept {
  BlockHeader* const header = offset % block_grain == 0 ? arena_.at<BlockHeader>(offset) : nullptr;
  if (header == nullptr) {
    return {};
  }
  const std::uint64_t word = loaded(header->size);
  const std::uint64_t size = word & size_mask;
  const bool possible = size >= header_size && size <= arena_.size() - offset;
  if (!possible || (word & ~size_mask & ~taken_bit) != check_of(offset)) {
    return {};
  }
  return {.offset = offset, .header = header, .size = size, .taken = (word & taken_bit) != 0};
}

// Only if the two agree on where they meet.
Allocator::Block Allocator::block_behind(const Block& block) const noexcept {
  const Block behind = block_at(block.offset + block.size);
  return behind && loaded(behind.header->before) == block.size ? behind : Block{};
}

FreeBlock* Allocator::free_block_at(std::uint64_t offset) const noexcept {
  return block_at(offset).is_free() ? arena_.at<FreeBlock>(offset) : nullptr;
}

std::uint64_t Allocator::first_that_fits(std::uint64_t size) const noexcept {
  auto [range, step] = class_that_fits(size);
  if (range >= FreeBlocksLayout::ranges) {
    return 0;
  }
  constexpr std::uint64_t all_steps = (1U << FreeBlocksLayout::steps) - 1;
  constexpr std::uint64_t all_ranges = (std::uint64_t{1} << FreeBlocksLayout::ranges) - 1;
  std::uint64_t steps = loaded(free_->second[range]) & (all_steps << step) & all_steps;
  if (steps == 0) {
    const std::uint64_t ranges = loaded(free_->first) & (all_ranges << range << 1) & all_ranges;
    if (ranges == 0) {
      return 0;
    }
    range = static_cast<unsigned>(std::countr_zero(ranges));
    steps = loaded(free_->second[range]) & all_steps;
  }
  return steps == 0 ? 0 : loaded(free_->heads[range][std::countr_zero(steps)]);
}

// Blocks of the class below the one whose every block fits may fit too: the last resort before there is no space.
std::uint64_t Allocator::first_of_its_class(std::uint64_t size) const noexcept {
  const auto [range, step] = class_of(size);
  std::uint64_t offset = loaded(free_->heads[range][step]);
  for (int tries = 0; offset != 0 && tries < most_tries; ++tries) {
    const Block block = block_at(offset);
    FreeBlock* const links = free_block_at(offset);
    if (links == nullptr || block.size >= size) {
      return offset;
    }
    offset = loaded(links->next);
  }
  return 0;
}

bool Allocator::unlink(const Block& block) noexcept {
  FreeBlock* const links = arena_.at<FreeBlock>(block.offset);
  const auto [range, step] = class_of(block.size);
  if (links == nullptr || !block.is_free() || range >= FreeBlocksLayout::ranges) {
    return false;
  }
  const std::uint64_t next = loaded(links->next);
  const std::uint64_t previous = loaded(links->previous);
  FreeBlock* const after = next == 0 ? nullptr : free_block_at(next);
  FreeBlock* const before = previous == 0 ? nullptr : free_block_at(previous);
  std::uint64_t& leads_here = before == nullptr ? free_->heads[range][step] : before->next;
  const bool known_after = next == 0 || (after != nullptr && loaded(after->previous) == block.offset);
  if (!known_after || (previous != 0 && before == nullptr) || loaded(leads_here) != block.offset) {
    return false;
  }
  journal_->put(leads_here, next);
  if (after != nullptr) {
    journal_->put(after->previous, previous);
  } else if (before == nullptr) {
    const std::uint64_t steps = loaded(free_->second[range]) & ~(std::uint64_t{1} << step);
    journal_->put(free_->second[range], steps);
    if (steps == 0) {
      journal_->put(free_->first, loaded(free_->first) & ~(std::uint64_t{1} << range));
    }
  }
  return true;
}

// The block's own links need no record where nothing but this transaction leads to what they overwrite.
void Allocator::link(std::uint64_t offset, std::uint64_t size, bool content_matters) noexcept {
  const auto [range, step] = class_of(size);
  std::uint64_t& head = free_->heads[range][step];
  const std::uint64_t next = loaded(head);
  FreeBlock& block = *reinterpret_cast<FreeBlock*>(arena_.base() + offset);
  if (content_matters) {
    journal_->keep(block.next);
    journal_->keep(block.previous);
  }
  block.next = next;
  block.previous = 0;
  if (FreeBlock* const after = next == 0 ? nullptr : free_block_at(next)) {
    journal_->put(after->previous, offset);
  } else {
    journal_->put(free_->second[range], loaded(free_->second[range]) | (std::uint64_t{1} << step));
    journal_->put(free_->first, loaded(free_->first) | (std::uint64_t{1} << range));
  }
  journal_->put(head, offset);
}

void Allocator::write_header(std::uint64_t offset, std::uint64_t size, std::uint64_t before) noexcept {
  BlockHeader& header = *reinterpret_cast<BlockHeader*>(arena_.base() + offset);
  header.size = size | check_of(offset);
  header.before = before;
}

// Leaves what stands before the first aligned place as a free block of its own.
bool Allocator::split_front(Block& block, std::uint64_t alignment) noexcept {
  std::uint64_t begin = rounded_up(block.offset + header_size, alignment) - header_size;
  if (begin == block.offset) {
    return false;
  }
  if (begin - block.offset < smallest_block) {
    begin += alignment;
  }
  const std::uint64_t front = begin - block.offset;
  journal_->put(block.header->size, front | check_of(block.offset));
  write_header(begin, block.size - front, front);
  link(block.offset, front, false);
  block = {.offset = begin,
           .header = reinterpret_cast<BlockHeader*>(arena_.base() + begin),
           .size = block.size - front,
           .taken = false};
  return true;
}

Result<std::uint64_t> Allocator::take(Block block, std::uint64_t needed, std::uint64_t alignment) {
  const Block behind = block_behind(block);
  if (!behind || !behind.taken || !unlink(block)) {
    return corrupt("allocate", block.offset, "a free block is not linked as it should be");
  }
  // Its owner overwrites them before the transaction is over, which a rollback undoes.
  FreeBlock& links = *reinterpret_cast<FreeBlock*>(arena_.base() + block.offset);
  journal_->keep(links.next);
  journal_->keep(links.previous);
  const bool moved = split_front(block, alignment);
  std::uint64_t size = block.size;
  if (const std::uint64_t rest = block.size - needed; rest >= smallest_block) {
    write_header(block.offset + needed, rest, needed);
    link(block.offset + needed, rest, false);
    size = needed;
    journal_->put(behind.header->before, rest);
  } else if (moved) {
    journal_->put(behind.header->before, size);
  }
  journal_->put(block.header->size, size | taken_bit | check_of(block.offset));
  return block.offset + header_size;
}

Result<std::uint64_t> Allocator::allocate(std::uint64_t bytes, std::uint64_t alignment) {
  expects(!freed_, "a transaction allocates before it frees, lest what it freed is overwritten and then wanted back");
  if (!std::has_single_bit(alignment) || alignment > most_alignment) {
    return fail(
        Error(Errc::invalid_argument, "allocate")
            .because("memory is aligned to a power of two of at most 4096, not to " + std::to_string(alignment)));
  }
  const std::uint64_t fitting = std::min(bytes, segment_most_bytes);
  const std::uint64_t needed = std::max(rounded_up(fitting + header_size, block_grain), smallest_block);
  const std::uint64_t wanted = alignment <= block_grain ? needed : needed + alignment + smallest_block;
  std::uint64_t found = wanted < arena_.size() ? first_that_fits(wanted) : 0;
  if (found == 0 && wanted < arena_.size()) {
    found = first_of_its_class(wanted);
  }
  if (found == 0) {
    return fail(Error(Errc::no_space, "allocate").because("no " + std::to_string(bytes) + " bytes in a row are free"));
  }
  const Block block = block_at(found);
  if (!block.is_free() || block.size < wanted) {
    return corrupt("allocate", found, "a list of free blocks leads to what is none of its");
  }
  return take(block, needed, std::max(alignment, block_grain));
}

Result<void> Allocator::free(std::uint64_t offset) {
  const Block block = offset < header_size ? Block{} : block_at(offset - header_size);
  Block behind = block ? block_behind(block) : Block{};
  if (!block || !block.taken || block.size < smallest_block || !behind) {
    return corrupt("free", offset, "no taken block stands there: it was freed before, or never allocated");
  }
  freed_ = true;
  std::uint64_t begin = block.offset;
  std::uint64_t size = block.size;
  if (!behind.taken) {
    size += behind.size;
    const Block further = block_behind(behind);
    if (!further || !unlink(behind)) {
      return corrupt("free", behind.offset, "the free block behind it is not linked as it should be");
    }
    behind = further;
  }
  const std::uint64_t before = loaded(block.header->before);
  const Block front = before == 0 || before > begin ? Block{} : block_at(begin - before);
  if ((before != 0 && !front) || (front && front.size != before)) {
    return corrupt("free", begin, "it and the block before it do not agree where they meet");
  }
  BlockHeader* header = block.header;
  if (front.is_free()) {
    if (!unlink(front)) {
      return corrupt("free", front.offset, "the free block before it is not linked as it should be");
    }
    begin = front.offset;
    size += front.size;
    header = front.header;
  }
  journal_->put(header->size, size | check_of(begin));
  journal_->put(behind.header->before, size);
  link(begin, size, true);
  return {};
}

Result<std::uint64_t> Allocator::size_of(std::uint64_t offset) const {
  const Block block = offset < header_size ? Block{} : block_at(offset - header_size);
  if (!block || !block.taken || !block_behind(block)) {
    return corrupt("allocate", offset, "no taken block stands there");
  }
  return block.size - header_size;
}

void Allocator::initialise() noexcept { write_header(segment_arena, header_size | taken_bit, 0); }

// The header that ended the arena becomes that of the new bytes, which are then given back like any others.
Result<void> Allocator::extend(std::uint64_t from) {
  const std::uint64_t last = from - header_size;
  const std::uint64_t added = arena_.size() - from;
  const Block block = block_at(last);
  if (!block || !block.taken || block.size != header_size) {
    return corrupt("grow", last, "the last block is not where the segment ends");
  }
  journal_->put(block.header->size, added | taken_bit | check_of(last));
  write_header(arena_.size() - header_size, header_size | taken_bit, added);
  return free(last + header_size);
}

std::uint64_t Allocator::length_of_list(unsigned range, unsigned step, std::uint64_t most) const noexcept {
  std::uint64_t length = 0;
  std::uint64_t previous = 0;
  for (std::uint64_t at = loaded(free_->heads[range][step]); at != 0; ++length) {
    const Block block = block_at(at);
    const FreeBlock* const links = block.is_free() ? arena_.at<FreeBlock>(at) : nullptr;
    const bool belongs = links != nullptr && class_of(block.size) == BlockClass{.range = range, .step = step};
    if (!belongs || loaded(links->previous) != previous || length == most) {
      return UINT64_MAX;
    }
    previous = at;
    at = loaded(links->next);
  }
  return length;
}

// As many blocks in the lists as are free: since each list is of blocks that are free and of its class, they are all.
Result<void> Allocator::check_lists(std::uint64_t free_blocks) const {
  std::uint64_t listed = 0;
  for (unsigned range = 0; range < FreeBlocksLayout::ranges; ++range) {
    std::uint64_t steps = 0;
    for (unsigned step = 0; step < FreeBlocksLayout::steps; ++step) {
      const std::uint64_t length = length_of_list(range, step, free_blocks);
      if (length == UINT64_MAX) {
        return corrupt("check", loaded(free_->heads[range][step]), "a list of free blocks leads astray");
      }
      steps |= length > 0 ? std::uint64_t{1} << step : 0;
      listed += length;
    }
    const bool said = (loaded(free_->first) >> range & 1) != 0;
    if (loaded(free_->second[range]) != steps || said != (steps != 0)) {
      return corrupt("check", range, "a bit says of a list what is not so");
    }
  }
  return listed == free_blocks ? Result<void>() : corrupt("check", listed, "so many of the free blocks are listed");
}

Result<BlockUsage> Allocator::check() const {
  BlockUsage usage;
  std::uint64_t before = 0;
  bool before_is_free = false;
  for (std::uint64_t at = segment_arena; at < arena_.size();) {
    const Block block = block_at(at);
    if (!block || loaded(block.header->before) != before) {
      return corrupt("check", at, "no block stands where the one before it ends");
    }
    if (!block.taken && before_is_free) {
      return corrupt("check", at, "two free blocks adjoin");
    }
    (block.taken ? usage.taken_bytes : usage.free_bytes) += block.size;
    ++(block.taken ? usage.taken_blocks : usage.free_blocks);
    usage.largest_free = std::max(usage.largest_free, block.taken ? 0 : block.size - header_size);
    before_is_free = !block.taken;
    before = block.size;
    at += block.size;
  }
  if (before != header_size || before_is_free) {
    return corrupt("check", arena_.size(), "the last block is not where the segment ends");
  }
  return check_lists(usage.free_blocks).transform([&] { return usage; });
}

}  // namespace tenon
