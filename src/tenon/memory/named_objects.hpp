#pragma once
/// Which object of a segment has which name: a hash table, with a list for names whose hashes end alike.
///
/// A search compares hashes, and names only where two have the same one. An object stands in the same block as its
/// name: one allocation, one transaction, nothing that could be there without the other. Each object has two links: the
/// lists are made anew by the ones that are not in use, and a few words of the journal then say which are.
///
/// Threads: whoever holds the segment's lock.
#include <tenon/base/result.hpp>
#include <tenon/memory/allocator.hpp>
#include <tenon/memory/type_description.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

/// A named object, as it was when it was looked at.
struct NamedObject {
  std::string name;
  std::string type;
  std::uint64_t size;    ///< bytes of one of the type
  std::uint64_t offset;  ///< of the object in the segment
};

class NamedObjects {
 public:
  static constexpr std::size_t most_name_bytes = 255;
  /// What an object's name, type and links take at most.
  static constexpr std::size_t most_bytes_beside =
      most_name_bytes + TypeText::capacity + sizeof(NamedObjectLayout) + sizeof(BlockHeader);

  NamedObjects(Arena arena, NamesLayout& layout) noexcept : arena_(arena), layout_(&layout) {}

  /// Where the object of that name and type stands; 0 if it is not to be had as simply, for whatever reason.
  std::uint64_t find_plainly(std::string_view name, const TypeDescription& type) const noexcept;

  /// Where a name stands, or would.
  struct Place {
    std::uint64_t hash;
    std::uint64_t* leads_here;  ///< the word that leads to the object, or the head of the list that it would stand in
    NamedObjectLayout* object;  ///< nullptr: no object has the name
  };
  /// Failures: invalid_name (empty, or over 255 bytes), corrupt.
  Result<void> seek(std::string_view name, Place& place) const;

  /// Where the object at a place that has one stands. Failures: type_mismatch, which names both types; corrupt.
  Result<std::uint64_t> object_at(const Place& place, std::string_view name, const TypeDescription& type) const;
  /// Adds an object at a place that has none; the caller constructs it where this says. Failures: no_space, corrupt.
  Result<std::uint64_t> add(const Place& place, std::string_view name, const TypeDescription& type,
                            Allocator& allocator, Journal& journal);
  /// Removes the object at a place that has one, with its name. Failures: corrupt.
  Result<void> remove(const Place& place, Allocator& allocator, Journal& journal);

  /// Whether the lists have become long: lengthen() then makes them shorter.
  bool is_crowded() const noexcept;
  /// Makes twice as many lists, or more, which takes a step for each object. Places are to be sought anew. Failures:
  /// no_space, corrupt.
  Result<void> lengthen(Allocator& allocator, Journal& journal);

  /// All, sorted by name. Failures: corrupt.
  Result<std::vector<NamedObject>> all() const;

 private:
  struct Lists;
  bool look(Lists& lists) const noexcept;
  NamedObjectLayout* object_layout_at(std::uint64_t offset) const noexcept {
    return arena_.at<NamedObjectLayout>(offset);
  }
  std::string_view text_at(std::uint64_t offset, std::uint64_t size) const noexcept;
  std::string_view name_of(const NamedObjectLayout& object) const noexcept;
  std::string_view type_name_of(const NamedObjectLayout& object) const noexcept;
  std::uint64_t most_steps() const noexcept;
  template <class Each>
  bool for_each(Each each) const;

  Arena arena_;
  NamesLayout* layout_;
};

}  // namespace tenon
