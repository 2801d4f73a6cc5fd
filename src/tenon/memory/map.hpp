#pragma once
/// Values by key, in the order of the keys, in a segment: a named object, or a member of one.
///
/// Ordered rather than hashed: a hash would have to be the same in every build, and a table would have to grow, in one
/// call that takes as long as there are entries; a skip list changes a few words whatever its size, needs `<` alone,
/// and is walked in the order of its keys by every process.
#include <tenon/memory/locked_segment.hpp>
#include <tenon/memory/skip_list.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace tenon {

/// Each call but clear() is whole or has not happened, also when the caller is killed in it, and says no_space with the
/// map as it was.
/// Keys and values are trivially copyable; for texts as keys there is FixedString.
///
/// Threads: whoever holds the segment's lock.
template <class Key, class Value>
  requires std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value> && std::totally_ordered<Key>
class Map {
 public:
  struct Entry {
    Key key;
    Value value;
  };

  Map() noexcept = default;
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  /// Outcomes: already_exists. Failures: no_space, corrupt.
  Result<void> insert(LockedSegment& segment, const Key& key, const Value& value) {
    const Entry entry{key, value};
    return change(segment, key, [&](Place& at) -> Result<void> {
      return at.node.links == nullptr ? add(segment, at, entry) : fail(Errc::already_exists, "Map::insert");
    });
  }
  /// A value that was there is replaced as a whole. Failures: no_space, corrupt.
  Result<void> insert_or_assign(LockedSegment& segment, const Key& key, const Value& value) {
    const Entry entry{key, value};
    return change(segment, key, [&](Place& at) -> Result<void> {
      return at.node.links == nullptr ? add(segment, at, entry) : replace(segment, at, entry);
    });
  }
  /// Outcomes: not_found. Failures: corrupt.
  Result<void> erase(LockedSegment& segment, const Key& key) {
    return change(segment, key, [&](Place& at) -> Result<void> {
      return at.node.links == nullptr ? fail(Errc::not_found, "Map::erase") : remove(segment, at);
    });
  }
  /// Outcomes: not_found. Failures: corrupt. What is written through the pointer is not undone if the writer dies.
  Result<Value*> find(LockedSegment& segment, const Key& key) {
    Place at;
    if (auto sought = seek(segment, key, at); !sought) {
      return fail(std::move(sought.error()));
    }
    return at.node.links == nullptr ? Result<Value*>(fail(Errc::not_found, "Map::find")) : &entry_of(at.node).value;
  }
  /// Calls `each(key, value)` in the order of the keys; it must not insert or erase. Failures: corrupt.
  template <class Each>
  Result<void> for_each(LockedSegment& segment, Each each) {
    return walk(segment, list(segment).first(), each);
  }
  /// The same from the first key that is not less than `key`.
  template <class Each>
  Result<void> for_each_from(LockedSegment& segment, const Key& key, Each each) {
    Place at;
    return seek(segment, key, at).and_then([&] { return walk(segment, loaded(*at.path.links[0]), each); });
  }
  /// Erases one after the other: killed in the middle, it has fewer. Failures: corrupt.
  Result<void> clear(LockedSegment& segment) {
    for (std::uint64_t first = list(segment).first(); first != 0; first = list(segment).first()) {
      Place at;
      at.node = list(segment).node_at(first);
      for (std::size_t level = 0; level < SkipListLayout::levels; ++level) {
        at.path.links[level] = &layout_.heads[level];
      }
      if (auto removed = at.node.links == nullptr ? Result<void>(corrupt()) : remove(segment, at); !removed) {
        return removed;
      }
    }
    return {};
  }
  /// Under the lock.
  std::uint64_t size() const noexcept { return loaded(layout_.count); }

 private:
  struct Place {
    SkipPath path;
    SkipList::Node node;  // without links: the key is not there
  };
  static constexpr std::uint64_t alignment = alignof(Entry) > 8 ? alignof(Entry) : 8;
  static_assert(alignment <= Allocator::most_alignment);

  static Entry& entry_of(const SkipList::Node& node) noexcept { return *reinterpret_cast<Entry*>(node.entry); }
  static Fail corrupt() { return fail(Error(Errc::corrupt, "segment").because("a map's links lead astray")); }
  SkipList list(LockedSegment& segment) noexcept {
    expects(segment.arena().holds(this, sizeof(*this)), "a container is used with the segment that it stands in");
    return {segment.arena(), layout_, {.size = sizeof(Entry), .alignment = alignment}};
  }

  Result<void> seek(LockedSegment& segment, const Key& key, Place& at) {
    const SkipList own = list(segment);
    std::uint64_t found = 0;
    const auto is_before = [&](const SkipList::Node& node) { return entry_of(node).key < key; };
    if (!own.seek(is_before, at.path, found)) {
      return corrupt();
    }
    at.node = found == 0 ? SkipList::Node{} : own.node_at(found);
    if (found != 0 && at.node.links == nullptr) {
      return corrupt();
    }
    if (found != 0 && key < entry_of(at.node).key) {
      at.node = {};
    }
    return {};
  }
  // Sought anew each time that the segment had to grow for it.
  template <class Change>
  Result<void> change(LockedSegment& segment, const Key& key, Change change) {
    return segment.with_room(sizeof(Entry) + sizeof(SkipListLayout), [&] {
      Place at;
      return seek(segment, key, at).and_then([&] { return change(at); });
    });
  }
  Result<std::uint64_t> fresh_node(LockedSegment& segment, Allocator& allocator, std::uint64_t levels,
                                   const Entry& entry) {
    const std::uint64_t entry_at = list(segment).entry_at(levels);
    return allocator.allocate(entry_at + sizeof(Entry), alignment).transform([&](std::uint64_t offset) {
      new (segment.arena().base() + offset + entry_at) Entry(entry);
      return offset;
    });
  }
  Result<void> add(LockedSegment& segment, Place& at, const Entry& entry) {
    Transaction transaction(segment.journal());
    Allocator allocator = segment.allocator();
    const std::uint64_t levels = list(segment).next_levels();
    return fresh_node(segment, allocator, levels, entry).transform([&](std::uint64_t offset) {
      list(segment).link(offset, levels, at.path, segment.journal());
      transaction.commit();
    });
  }
  Result<void> replace(LockedSegment& segment, Place& at, const Entry& entry) {
    Transaction transaction(segment.journal());
    Allocator allocator = segment.allocator();
    auto replaced = fresh_node(segment, allocator, at.node.levels, entry).and_then([&](std::uint64_t offset) {
      return list(segment).replace(at.node, offset, at.path, segment.journal()) ? allocator.free(at.node.offset)
                                                                                : Result<void>(corrupt());
    });
    if (replaced) {
      transaction.commit();
    }
    return replaced;
  }
  Result<void> remove(LockedSegment& segment, Place& at) {
    Transaction transaction(segment.journal());
    if (!list(segment).unlink(at.node, at.path, segment.journal())) {
      return corrupt();
    }
    auto freed = segment.allocator().free(at.node.offset);
    if (freed) {
      transaction.commit();
    }
    return freed;
  }
  template <class Each>
  Result<void> walk(LockedSegment& segment, std::uint64_t from, Each& each) {
    const SkipList own = list(segment);
    std::uint64_t budget = own.most_steps();
    for (std::uint64_t at = from; at != 0;) {
      const SkipList::Node node = own.node_at(at);
      if (node.links == nullptr || budget-- == 0) {
        return corrupt();
      }
      Entry& entry = entry_of(node);
      each(std::as_const(entry.key), entry.value);
      at = loaded(node.links[0]);
    }
    return {};
  }

  SkipListLayout layout_{};
};

template <NamedType Key, NamedType Value>
struct TypeNameOf<Map<Key, Value>> {
  static constexpr TypeText value = type_text<Key, Value>("Map");
};

}  // namespace tenon
