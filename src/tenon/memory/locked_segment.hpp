#pragma once
/// A segment whose lock this thread holds: where all is done that a segment can do.
#include <tenon/base/contract.hpp>
#include <tenon/base/result.hpp>
#include <tenon/memory/allocator.hpp>
#include <tenon/memory/gap.hpp>
#include <tenon/memory/named_objects.hpp>
#include <tenon/memory/offset_ptr.hpp>
#include <tenon/memory/segment_state.hpp>
#include <tenon/memory/type_description.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon {

/// What may stand in a segment: it means the same wherever it is mapped, and whoever dies need not destroy it. Pointers
/// and references in it are the author's error, which no compiler sees.
template <class T>
concept Shareable = std::is_trivially_destructible_v<T> && std::is_standard_layout_v<T>;

/// What owns memory of the segment, and gives it back: containers, and structs that hold some.
template <class T>
concept Clearable = requires(T& object, class LockedSegment& segment) { object.clear(segment); };

/// Unlocks when it goes. Each call is whole or has not happened, also when the caller is killed in it, but where it
/// says otherwise. What the caller writes through the pointers it gets is the caller's: killed in the middle, it leaves
/// that half-written. After unlock(), or moved from, it is asked nothing more: a broken contract.
///
/// Pointers are good as long as the process has the segment open, if nobody frees what they lead to; they may be used
/// only while the lock is held. The Segment outlives it.
///
/// Threads: the one that has locked it. fork: a child leaves its copy alone, for what it changed it would change under
/// its parent's lock.
class [[nodiscard]] LockedSegment {
 public:
  LockedSegment(LockedSegment&&) noexcept = default;
  LockedSegment& operator=(LockedSegment&&) = delete;

  /// Whether the last holder died, or what it had not finished had to be undone. The segment is right again, as are its
  /// containers, which clear() and destroy() may have left with less in them; what the dead one was writing into
  /// objects by itself may be half-written, and is for the caller to judge.
  bool recovered() const noexcept { return recovered_; }

  /// The object of that name. Outcomes: not_found. Failures: type_mismatch, which names both; invalid_name, corrupt.
  template <class T>
    requires Shareable<T> && NamedType<T>
  Result<T*> find(std::string_view name) {
    constexpr TypeDescription type = type_of<T>();
    if (const std::uint64_t found = objects().find_plainly(name, type)) [[likely]] {
      return place<T>(found);
    }
    return find_object(name, type).transform([&](std::uint64_t offset) { return place<T>(offset); });
  }
  /// The object of that name, made from `arguments` if there is none. If its constructor throws there is still none; it
  /// must not change the segment, which it would do in the middle of a transaction: a broken contract.
  /// Failures: no_space, type_mismatch, invalid_name, corrupt; invalid_argument (aligned to more than a page).
  template <class T, class... Arguments>
    requires Shareable<T> && NamedType<T> && std::constructible_from<T, Arguments...>
  Result<T*> find_or_construct(std::string_view name, Arguments&&... arguments) {
    static_assert(alignof(T) <= Allocator::most_alignment,
                  "a segment is mapped at a page: no more alignment can be kept");
    constexpr TypeDescription type = type_of<T>();
    if (const std::uint64_t found = objects().find_plainly(name, type)) [[likely]] {
      return place<T>(found);
    }
    return with_room(sizeof(T) + NamedObjects::most_bytes_beside, [&]() -> Result<T*> {
      NamedObjects::Place at;
      if (auto sought = objects().seek(name, at); !sought) {
        return fail(std::move(sought.error()));
      }
      if (at.object != nullptr) [[likely]] {
        return objects().object_at(at, name, type).transform([&](std::uint64_t offset) { return place<T>(offset); });
      }
      Transaction transaction(journal());
      Allocator blocks = allocator();
      auto offset = objects().add(at, name, type, blocks, journal_);
      if (!offset) {
        return fail(std::move(offset.error()));
      }
      T* const object = std::construct_at(place<T>(*offset), std::forward<Arguments>(arguments)...);
      transaction.commit();
      if (objects().is_crowded()) {
        lengthen_names();
      }
      return object;
    });
  }
  /// Removes the object and its name; a container, or what is Clearable, gives back what it holds first: killed in
  /// between, it is there with less in it. Outcomes: not_found. Failures: type_mismatch, invalid_name, corrupt.
  template <class T>
    requires Shareable<T> && NamedType<T>
  Result<void> destroy(std::string_view name) {
    auto found = find<T>(name);
    if (!found) {
      return fail(std::move(found.error()));
    }
    if constexpr (Clearable<T>) {
      if (auto cleared = (*found)->clear(*this); !cleared) {
        return cleared;
      }
    }
    return remove_object(name);
  }
  /// All named objects, sorted by name. Failures: corrupt.
  Result<std::vector<NamedObject>> names() const { return objects().all(); }

  /// Allocates `count` objects, at least one, each as T() makes it, and stores where they stand into `into`, which is
  /// null and stands in this segment: so they belong to somebody from the first moment. Failures: no_space, corrupt.
  template <class T>
    requires Shareable<T> && std::default_initializable<T>
  Result<T*> allocate(OffsetPtr<T>& into, std::uint64_t count = 1) {
    static_assert(alignof(T) <= Allocator::most_alignment,
                  "a segment is mapped at a page: no more alignment can be kept");
    expects(!into, "a pointer that is given a block has none yet");
    expects(count > 0 && arena_.holds(&into, sizeof(into)), "a block belongs to a pointer in its own segment");
    const std::uint64_t bytes = count <= segment_most_bytes / sizeof(T) ? count * sizeof(T) : segment_most_bytes;
    return with_room(bytes, [&]() -> Result<T*> {
      Transaction transaction(journal());
      auto offset = allocator().allocate(bytes, alignof(T));
      if (!offset) {
        return fail(std::move(offset.error()));
      }
      T* const objects = place<T>(*offset);
      std::uninitialized_value_construct_n(objects, count);
      transaction.put(into.offset_, *offset);
      transaction.commit();
      return objects;
    });
  }
  /// Frees what `from` leads to and makes it null; nothing if it is null. `from` may stand in what it frees. Failures:
  /// corrupt (no block stands there).
  template <class T>
  Result<void> free(OffsetPtr<T>& from) {
    expects(arena_.holds(&from, sizeof(from)), "a block belongs to a pointer in its own segment");
    return from ? free_block(from.offset_) : Result<void>();
  }

  /// What a pointer leads to: nullptr if it is null. Failures: corrupt (`count` objects cannot stand there).
  template <class T>
  Result<T*> at(OffsetPtr<T> pointer, std::uint64_t count = 1) const {
    if (!pointer) {
      return nullptr;
    }
    if (count > arena_.size() / sizeof(T) || arena_.bytes(pointer.offset(), count * sizeof(T), alignof(T)) == nullptr) {
      return fail(leads_astray(pointer.offset()));
    }
    return place<T>(pointer.offset());
  }
  /// A pointer to an object that stands in this segment.
  template <class T>
  OffsetPtr<T> to(T* object) const {
    expects(arena_.holds(object, sizeof(T)), "an offset leads to what stands in its own segment");
    return OffsetPtr<T>::from(arena_.offset_of(object));
  }

  /// Makes the segment `bytes` long; nothing if it is longer. Maps and pointers, others' too, stay good. When there is
  /// no room left, calls that need some make it twice as long by themselves, or as long as they need where there is
  /// no room for more; it stays so long if they fail then.
  /// Failures: limit_reached (its `most`), no_space (/dev/shm is full), not_supported (System V memory), corrupt.
  Result<void> grow(std::uint64_t bytes);
  /// Bytes, as long as it is now.
  std::uint64_t size() const noexcept { return arena_.size(); }
  /// Walks all blocks and lists, however many there are. Failures: corrupt, with what does not hold.
  Result<BlockUsage> check() { return allocator().check(); }

  /// Unlocks now.
  void unlock() && noexcept { std::move(guard_).unlock(); }

  /// For containers: what they are made of.
  const Arena& arena() const noexcept {
    expect_locked();
    return arena_;
  }
  Journal& journal() noexcept {
    expect_locked();
    return journal_;
  }
  Gap gap() const noexcept { return {arena(), state_->header().gap}; }
  /// For one transaction.
  Allocator allocator() noexcept { return {arena(), state_->header().free, journal_}; }
  /// Does `operation`; if there is no space for the `bytes` that it needs, grows the segment by as many at least, where
  /// that may help, and does it again.
  template <class Operation>
  auto with_room(std::uint64_t bytes, Operation operation) -> decltype(operation()) {
    auto result = operation();
    if (result.failed_with(Errc::no_space) && grow_by_itself(bytes)) {
      result = operation();
    }
    return result;
  }

 private:
  friend class Segment;
  LockedSegment(MutexGuard guard, SegmentState& state) noexcept
      : guard_(std::move(guard)),
        state_(&state),
        arena_(state.memory.data(), state.size),
        journal_(arena_, state.header().journal) {}
  Result<void> recover();
  Result<void> learn_size();

  void expect_locked() const noexcept {
    expects(guard_.holds(), "a segment is used while its lock is held: this one was unlocked, or moved from");
  }
  NamedObjects objects() const noexcept { return {arena(), state_->header().names}; }
  template <class T>
  T* place(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(arena_.base() + offset);
  }
  Result<std::uint64_t> find_object(std::string_view name, const TypeDescription& type) const;
  Result<void> remove_object(std::string_view name);
  void lengthen_names();
  Result<void> free_block(std::uint64_t& from);
  Result<void> extend(std::uint64_t size);
  bool grow_by_itself(std::uint64_t needed);
  static Error leads_astray(std::uint64_t offset);

  MutexGuard guard_;
  SegmentState* state_;
  Arena arena_;
  Journal journal_;
  bool recovered_ = false;
};

}  // namespace tenon
