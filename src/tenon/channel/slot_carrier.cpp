#include <tenon/channel/slot_carrier.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/life_peer.hpp>

#include <algorithm>
#include <numeric>

namespace tenon {

namespace {

// One sleep, no longer than until the next look is due.
Result<void> sleep(SlotBells& bells, SlotBells::Which which, Deadline deadline) {
  auto waited = bells.wait(which, deadline.or_sooner(after(recheck_interval)));
  return waited.failed_with(Errc::timed_out) ? Result<void>() : waited;
}

}  // namespace

Result<MappedSlots> MappedSlots::open(Mapping memory, std::unique_ptr<SlotBells> bells) {
  auto ring = SlotRing::open(memory.bytes());
  if (!ring) {
    return fail(std::move(ring.error()));
  }
  return MappedSlots{.memory = std::move(memory), .ring = *ring, .bells = std::move(bells)};
}

Result<void> SlotSink::put(Bytes frame, Deadline deadline) {
  while (!mapped_.ring.put(own_, frame)) {
    if (deadline.passed()) {
      return fail(Errc::timed_out, "send");
    }
    if (auto intact = mapped_.intact(); !intact) {
      return intact;
    }
    if (auto slept = sleep(*mapped_.bells, SlotBells::freed, deadline); !slept) {
      return slept;
    }
  }
  mapped_.bells->ring(SlotBells::filled);
  return {};
}

// A frame out of the slots. Outcomes: would_block.
Result<std::size_t> SlotSource::next(MutableBytes into) const {
  auto size = mapped_.ring.take(into);
  if (!size.failed_with(Errc::would_block)) {
    mapped_.bells->quiet(SlotBells::filled);
    mapped_.bells->ring(SlotBells::freed);
  }
  return size;
}

Result<Frame> SlotSource::take(Deadline deadline) {
  if (!counted_.empty()) {
    frame_ = std::move(counted_.front());
    counted_.pop_front();
    return Frame::decode(frame_);
  }
  frame_.resize(mapped_.ring.frame_bytes());
  while (true) {
    auto size = next(frame_);
    if (size) {
      return Frame::decode(Bytes(frame_).first(*size));
    }
    if (!size.failed_with(Errc::would_block)) {
      return fail(std::move(size.error()));
    }
    if (deadline.passed()) {
      return fail(Errc::timed_out, "receive");
    }
    if (auto waited = wait(deadline); !waited) {
      return fail(std::move(waited.error()));
    }
  }
}

Result<void> SlotSource::wait(Deadline deadline) {
  reclaim_from_the_dead();
  if (auto intact = mapped_.intact(); !intact) {
    return intact;
  }
  return sleep(*mapped_.bells, SlotBells::filled, deadline);
}

// A sender fills what it has claimed in microseconds. One that is found at it in two looks running is asked after.
void SlotSource::reclaim_from_the_dead() {
  std::vector<Token> unfinished = mapped_.ring.unfinished();
  for (const Token owner : unfinished) {
    if (std::ranges::find(unfinished_, owner) == unfinished_.end()) {
      continue;
    }
    const auto standing = standing_of(*domain_, owner);
    if (standing && *standing != Standing::alive) {
      for (std::size_t freed = mapped_.ring.reclaim(owner); freed > 0; --freed) {
        mapped_.bells->ring(SlotBells::freed);
      }
    }
  }
  unfinished_ = std::move(unfinished);
}

std::size_t SlotSource::pending() const {
  std::vector<std::byte> frame(mapped_.ring.frame_bytes());
  for (auto size = next(frame); size; size = next(frame)) {
    counted_.emplace_back(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(*size));
  }
  return std::accumulate(counted_.begin(), counted_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& one) { return sum + one.size(); });
}

}  // namespace tenon
