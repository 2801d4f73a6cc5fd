#pragma once
/// Where things stand in a queue's memory. queue_layout.hpp
#include <tenon/base/bytes.hpp>
#include <tenon/messaging/queue/block_map.hpp>
#include <tenon/messaging/queue/hint_set.hpp>
#include <tenon/messaging/queue/queue_bell.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>
#include <tenon/messaging/queue/rank_heap.hpp>
#include <tenon/sync/mutex.hpp>

#include <new>
#include <span>

namespace tenon {

/// A view, of memory that the header fits: copies stand for the same queue. The header is this process's own copy.
class QueueMemory {
 public:
  QueueMemory(MutableBytes memory, const QueueHeader& header) noexcept : start_(memory.data()), header_(header) {}

  const QueueHeader& header() const noexcept { return header_; }
  QueueState& state() const noexcept { return *reinterpret_cast<QueueState*>(start_ + queue_state_at); }
  QueueSlot& slot(std::uint32_t slot) const noexcept {
    return *reinterpret_cast<QueueSlot*>(start_ + header_.slots_at + slot * header_.slot_bytes);
  }
  QueueMember& member(std::uint32_t place) const noexcept { return members()[place]; }
  std::span<QueueMember> members() const noexcept {
    return {reinterpret_cast<QueueMember*>(start_ + header_.members_at), header_.members};
  }
  HintSet<> ready() const noexcept { return hints(state().ready, 0); }
  HintSet<> urgent() const noexcept { return hints(state().urgent, 1); }
  HintSet<> free() const noexcept { return hints(state().free, 2); }
  RankHeap heap() const noexcept {
    return {{reinterpret_cast<QueueRank*>(start_ + header_.heap_at), header_.slots}, state().queued};
  }
  BlockMap blocks() const noexcept {
    return {{reinterpret_cast<std::uint64_t*>(start_ + header_.map_at), (header_.blocks + std::size_t{63}) / 64},
            header_.blocks};
  }
  Mutex& taking() const noexcept { return mutex_in(state().taking); }
  Mutex& allocating() const noexcept { return mutex_in(state().allocating); }
  QueueBell& arrived() const noexcept { return bell_in(state().arrived); }
  QueueBell& freed() const noexcept { return bell_in(state().freed); }

  /// Blocks that a message of so many bytes takes; 0 where it stands in its slot. No more than 2^32 - 1 are asked for.
  std::uint64_t blocks_for(std::uint64_t bytes) const noexcept {
    return bytes <= header_.short_bytes ? 0 : (bytes - 1) / header_.block_bytes + 1;
  }
  /// Of the message in a slot, whose blocks and length were found sound.
  std::byte* bytes_of(const QueueSlot& slot) const noexcept {
    return slot.blocks == 0 ? const_cast<std::byte*>(reinterpret_cast<const std::byte*>(&slot)) + slot_bytes_at
                            : start_ + header_.arena_at + slot.first_block * header_.block_bytes;
  }
  /// Whether the blocks that a slot has are blocks of the arena. Its length may be another message's still.
  bool has_blocks(const QueueSlot& slot) const noexcept {
    return slot.blocks != 0 && slot.blocks <= header_.blocks && slot.first_block <= header_.blocks - slot.blocks;
  }
  /// Whether what the slot of a message says of its bytes lies where messages may.
  bool is_sound(const QueueSlot& slot) const noexcept {
    return slot.blocks == 0 ? slot.length <= header_.short_bytes
                            : has_blocks(slot) && slot.length <= slot.blocks * header_.block_bytes;
  }

 private:
  HintSet<> hints(HintTop& top, std::uint64_t set) const noexcept {
    auto* const words = reinterpret_cast<std::atomic<std::uint64_t>*>(start_ + header_.hints_at);
    return {top, words + set * hint_words(header_.slots), header_.slots};
  }
  static Mutex& mutex_in(QueueMutexBytes& bytes) noexcept { return *std::launder(reinterpret_cast<Mutex*>(&bytes)); }
  static QueueBell& bell_in(QueueBellBytes& bytes) noexcept {
    return *std::launder(reinterpret_cast<QueueBell*>(&bytes));
  }

  std::byte* start_;
  QueueHeader header_;
};

static_assert(sizeof(Mutex) == sizeof(QueueMutexBytes) && sizeof(QueueBell) == sizeof(QueueBellBytes));

}  // namespace tenon
