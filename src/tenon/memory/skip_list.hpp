#pragma once
/// Nodes of a segment in an order, each found in some log(n) steps. W. Pugh, Skip Lists, CACM 33(6), 1990
///
///     node: byte 0     8                         up to the entry's alignment
///           | levels | links, one for each level | entry |
///           | u64    | levels × u64              |       |
///
/// A node on level l is one of four on level l - 1. Inserting and erasing change one word for each of the node's
/// levels, at most 14, and move nothing: so a journal of fixed size holds them.
///
/// Threads: whoever holds the segment's lock.
#include <tenon/memory/journal.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tenon {

/// Of an entry: what the list must know of it.
struct SkipEntry {
  std::uint64_t size;
  std::uint64_t alignment;
};

/// The words that lead past where a node stands, or would stand, one on each level.
struct SkipPath {
  std::uint64_t* links[SkipListLayout::levels];
};

class SkipList {
 public:
  SkipList(Arena arena, SkipListLayout& layout, SkipEntry entry) noexcept
      : arena_(arena), layout_(&layout), entry_(entry) {}

  struct Node {
    std::uint64_t offset = 0;
    std::uint64_t* links = nullptr;  // nullptr: no node stands there
    std::uint64_t levels = 0;
    std::byte* entry = nullptr;
  };
  Node node_at(std::uint64_t offset) const noexcept {
    const std::uint64_t* const levels = arena_.at<std::uint64_t>(offset);
    const std::uint64_t count = levels == nullptr ? 0 : loaded(*levels);
    if (count == 0 || count > SkipListLayout::levels) {
      return {};
    }
    std::byte* const entry = arena_.bytes(offset + entry_at(count), entry_.size, entry_.alignment);
    return entry == nullptr ? Node{}
                            : Node{offset, reinterpret_cast<std::uint64_t*>(arena_.base() + offset) + 1, count, entry};
  }

  /// Where an entry stands in a node of so many levels, if the node is aligned as the entry is.
  std::uint64_t entry_at(std::uint64_t levels) const noexcept {
    const std::uint64_t links_end = sizeof(std::uint64_t) * (1 + levels);
    return (links_end + entry_.alignment - 1) & ~(entry_.alignment - 1);
  }
  std::uint64_t count() const noexcept { return loaded(layout_->count); }
  std::uint64_t first() const noexcept { return loaded(layout_->heads[0]); }

  /// Finds the first node whose entry is not before what is sought, 0 if there is none. `is_before` takes a Node. False
  /// if the list leads astray, or in a circle.
  template <class IsBefore>
  bool seek(IsBefore is_before, SkipPath& path, std::uint64_t& found) const noexcept {
    std::uint64_t budget = most_steps();
    std::uint64_t* links = layout_->heads;
    found = 0;
    for (std::size_t level = SkipListLayout::levels; level-- > 0;) {
      // What stopped the search one level above stops it here too.
      for (std::uint64_t next = loaded(links[level]); next != 0 && next != found; next = loaded(links[level])) {
        const Node node = node_at(next);
        if (node.links == nullptr || node.levels <= level || budget-- == 0) {
          return false;
        }
        if (!is_before(node)) {
          found = next;
          break;
        }
        links = node.links;
      }
      path.links[level] = &links[level];
    }
    return true;
  }

  /// How many levels the next node shall have.
  std::uint64_t next_levels() const noexcept;
  /// Links a node whose memory is this transaction's own behind the path.
  void link(std::uint64_t offset, std::uint64_t levels, const SkipPath& path, Journal& journal) noexcept;
  /// Takes the node that the path leads to out of the list. False if the path does not lead to it.
  bool unlink(const Node& node, const SkipPath& path, Journal& journal) noexcept;
  /// Puts a node of as many levels, whose memory is this transaction's own, in the place of one that the path leads to.
  bool replace(const Node& node, std::uint64_t offset, const SkipPath& path, Journal& journal) noexcept;

  /// No list has more nodes than fit: who steps further goes in a circle.
  std::uint64_t most_steps() const noexcept {
    return std::min(count(), arena_.size() / sizeof(FreeBlock)) + SkipListLayout::levels + 1;
  }

 private:
  Arena arena_;
  SkipListLayout* layout_;
  SkipEntry entry_;
};

}  // namespace tenon
