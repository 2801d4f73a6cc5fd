// Blocks of a segment: allocated, freed, and the segment grown, by a process that is killed at every instruction of it.
// Controls: survivors to whom the journal says nothing.
#include "../memory_trial.hpp"

#include "../cases.hpp"

namespace kill_cases {

namespace {

using namespace tenon;

using Block = OffsetPtr<std::uint64_t>;

constexpr std::uint64_t words = 20;

// Blocks that pointers in a named object lead to. The second lies between two free ones, so that freeing it merges
// three.
struct Blocks {
  static constexpr std::string_view type_name = "kill.Blocks";
  Block held[4];
};

class BlocksTrial : public MemoryTrial {
 public:
  explicit BlocksTrial(Survivors survivors, SegmentSize size = {.bytes = 16 * 1024}) : MemoryTrial(survivors, size) {
    LockedSegment segment = locked();
    Blocks& blocks = *segment.find_or_construct<Blocks>("blocks").or_throw();
    for (Block& block : blocks.held) {
      segment.allocate(block, words).or_throw();
    }
    segment.free(blocks.held[0]).or_throw();
    segment.free(blocks.held[2]).or_throw();
    fill(segment, blocks.held[1]);
  }

 protected:
  static Blocks& blocks_in(LockedSegment& segment) { return *segment.find<Blocks>("blocks").or_throw(); }
  static void fill(LockedSegment& segment, Block& block) {
    std::uint64_t* const content = segment.at(block, words).or_throw();
    for (std::uint64_t i = 0; i < words; ++i) {
      content[i] = 0x1111 * i;
    }
  }
  std::uint64_t look(LockedSegment& segment) override {
    std::uint64_t held = 0;
    for (Block& block : blocks_in(segment).held) {
      if (block) {
        ++held;
        must(segment.at(block, words).or_throw() != nullptr, "a block is nowhere");
      }
    }
    if (const Block& kept = blocks_in(segment).held[1]) {
      const std::uint64_t* const content = segment.at(kept, words).or_throw();
      for (std::uint64_t i = 0; i < words; ++i) {
        must(content[i] == 0x1111 * i, "the content of a block that was not freed is lost");
      }
    }
    return held;
  }
};

class Allocate : public BlocksTrial {
 public:
  using BlocksTrial::BlocksTrial;

 protected:
  void change(LockedSegment& segment) override {
    Block& block = blocks_in(segment).held[0];
    segment.allocate(block, words - 4).or_throw();
  }
  void change_back(LockedSegment& segment) override { segment.free(blocks_in(segment).held[0]).or_throw(); }
};

class Free : public BlocksTrial {
 public:
  using BlocksTrial::BlocksTrial;

 protected:
  void change(LockedSegment& segment) override { segment.free(blocks_in(segment).held[1]).or_throw(); }
  void change_back(LockedSegment& segment) override {
    Block& block = blocks_in(segment).held[1];
    if (!block) {
      segment.allocate(block, words).or_throw();
    }
    fill(segment, block);
  }
};

// Killed behind a growth, it stays grown: the survivors have the larger one, and all of it.
class Grow : public BlocksTrial {
 public:
  explicit Grow(Survivors survivors) : BlocksTrial(survivors, {.bytes = 16 * 1024, .most = 64 * 1024}) {}

 protected:
  void change(LockedSegment& segment) override { segment.grow(32 * 1024).or_throw(); }
  std::uint64_t look(LockedSegment& segment) override {
    const BlockUsage usage = segment.check().or_throw();
    must(usage.taken_bytes + usage.free_bytes + segment_arena == segment.size(), "bytes are in no block");
    must(segment.size() == 16 * 1024 || segment.size() == 32 * 1024, "it has neither its old size nor its new one");
    return BlocksTrial::look(segment);
  }
  void change_back(LockedSegment&) override {}
};

}  // namespace

kit::KillCase memory_allocate() { return memory_case<Allocate>("memory: allocate", Survivors::undo); }
kit::KillCase memory_free() { return memory_case<Free>("memory: free", Survivors::undo); }
kit::KillCase memory_grow() { return memory_case<Grow>("memory: grow", Survivors::undo); }
kit::KillCase memory_allocate_unjournalled() {
  return memory_case<Allocate>("memory: allocate, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_free_unjournalled() {
  return memory_case<Free>("memory: free, journal unread", Survivors::do_not_undo);
}
kit::KillCase memory_grow_unjournalled() {
  return memory_case<Grow>("memory: grow, journal unread", Survivors::do_not_undo);
}

}  // namespace kill_cases
