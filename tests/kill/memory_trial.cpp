#include "memory_trial.hpp"

#include <kit/state_hash.hpp>

#include <algorithm>
#include <string>

namespace kill_cases {

using namespace tenon;

namespace {

constexpr std::size_t watched_bytes = 16 * 1024;

}  // namespace

MemoryTrial::MemoryTrial(Survivors survivors, SegmentSize size)
    : segment_(Segment::create_unnamed("kill", size).or_throw()),
      raw_(Mapping::of_file(segment_.fd(), watched_bytes, Access::read_write).or_throw()),
      survivors_(survivors) {}

std::uint64_t MemoryTrial::state() { return kit::hash_of(raw_.bytes()); }

void MemoryTrial::operation() {
  LockedSegment segment = locked();
  change(segment);
}

// The last block is a header that belongs to the segment itself.
void MemoryTrial::look_at_all(LockedSegment& segment) {
  const auto usage = segment.check();
  must(usage.has_value(), usage ? "" : usage.error().message().c_str());
  const std::uint64_t owned = look(segment) + segment.names().or_throw().size() + 1;
  must(usage->taken_blocks <= owned, "a block belongs to nobody");
  must(usage->taken_blocks >= owned, "a block belongs to two, or was lost");
}

void MemoryTrial::survive() {
  if (survivors_ == Survivors::do_not_undo) {
    auto& header = *reinterpret_cast<SegmentHeader*>(raw_.data());
    header.journal.count = 0;
    header.gap.active = 0;
  }
  LockedSegment segment = locked();
  look_at_all(segment);
  change_back(segment);
  look_at_all(segment);
  change(segment);
  look_at_all(segment);
}

}  // namespace kill_cases
