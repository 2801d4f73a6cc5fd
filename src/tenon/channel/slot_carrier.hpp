#pragma once
/// Frames over slots in shared memory, with two semaphores that wake: one for frames, one for free slots.
///
/// A wake may be lost with whoever dies before it, so nobody sleeps for longer than a recheck without looking at the
/// slots. What is waited with, POSIX or System V semaphores, is all that the channels shm: and sysv-shm: differ in.
#include <tenon/channel/message_carrier.hpp>
#include <tenon/channel/slot_ring.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/mapping.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace tenon {

/// Rung after each change, and waited for when there is nothing to do.
class SlotBells {
 public:
  enum Which : unsigned char { filled = 0, freed = 1 };

  SlotBells() = default;
  SlotBells(const SlotBells&) = delete;
  SlotBells& operator=(const SlotBells&) = delete;
  virtual ~SlotBells() = default;

  /// One that cannot be rung because it has been rung too often needs it no more.
  virtual void ring(Which which) = 0;
  /// Outcomes: timed_out, stopped, those of the mechanism.
  virtual Result<void> wait(Which which, Deadline deadline) = 0;
  /// Takes back one ring that nobody waits for.
  virtual void quiet(Which which) = 0;
};

/// A ring that is mapped here, and what belongs to it.
struct MappedSlots {
  static constexpr std::uint32_t slots = 16;
  static constexpr std::size_t frame_bytes = 65536;

  Mapping memory;
  SlotRing ring;
  std::unique_ptr<SlotBells> bells;
  /// Whether the memory is still as long as it was: asked before each sleep. Failures: corrupt, stale.
  std::function<Result<void>()> intact = [] { return Result<void>(); };

  /// Failures: as SlotRing::open.
  static Result<MappedSlots> open(Mapping memory, std::unique_ptr<SlotBells> bells);
  Capabilities capabilities() const {
    return {.framed = true, .capacity = std::size_t{ring.slots()} * ring.frame_bytes()};
  }
};

class SlotSink final : public MessageSink {
 public:
  SlotSink(MappedSlots mapped, Token own) noexcept : mapped_(std::move(mapped)), own_(own) {}

  std::size_t frame_size() const override { return mapped_.ring.frame_bytes(); }
  Result<void> put(Bytes frame, Deadline deadline) override;
  Capabilities capabilities() const override { return mapped_.capabilities(); }

 private:
  MappedSlots mapped_;
  Token own_;
};

class SlotSource final : public FrameSource {
 public:
  SlotSource(MappedSlots mapped, std::shared_ptr<const Domain> domain)
      : mapped_(std::move(mapped)), domain_(std::move(domain)), frame_(mapped_.ring.frame_bytes()) {}

  Result<Frame> take(Deadline deadline) override;
  std::size_t pending() const override;
  Capabilities capabilities() const override { return mapped_.capabilities(); }

 private:
  Result<std::size_t> next(MutableBytes into) const;
  Result<void> wait(Deadline deadline);
  void reclaim_from_the_dead();

  mutable MappedSlots mapped_;
  std::shared_ptr<const Domain> domain_;
  std::vector<std::byte> frame_;
  // What pending() has moved over here to count it: it was sent before what is in the slots now, and is taken before.
  mutable std::deque<std::vector<std::byte>> counted_;
  std::vector<Token> unfinished_;  // at the last look
};

}  // namespace tenon
