// A segment beside Boost.Interprocess's managed_shared_memory: the same work in pairs of blocks, each side with its
// lock. What Boost does not do is in Tenon's figures: who dies in the middle of it leaves neither a lock held nor a
// block lost.
#include <tenon/memory/segment.hpp>
#include <tenon/os/token.hpp>
#include <harness/byte_stream.hpp>

#include <array>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace tenon;
namespace bip = boost::interprocess;

namespace {

constexpr std::size_t bytes = std::size_t{16} << 20;
constexpr std::size_t held = 64;

struct Held {
  static constexpr std::string_view type_name = "bench.Held";
  std::array<OffsetPtr<std::byte>, held> blocks;
};

// Both have the same names and the same blocks in them, so that neither works in an empty memory.
class Both {
 public:
  explicit Both(std::size_t names) : boost_(bip::create_only, boost_name_.c_str(), bytes) {
    LockedSegment locked = segment_.lock(never).or_throw();
    for (std::size_t i = 0; i < names; ++i) {
      names_.push_back("object number " + std::to_string(i));
      locked.find_or_construct<std::uint64_t>(names_.back()).or_throw();
      boost_.find_or_construct<std::uint64_t>(names_.back().c_str())();
    }
    locked.find_or_construct<Held>("held").or_throw();
  }
  ~Both() { bip::shared_memory_object::remove(boost_name_.c_str()); }
  Both(const Both&) = delete;
  Both& operator=(const Both&) = delete;

  void find_in_tenon() {
    LockedSegment locked = segment_.lock(never).or_throw();
    ++**locked.find_or_construct<std::uint64_t>(next_name());
  }
  void find_in_boost() { ++*boost_.find_or_construct<std::uint64_t>(next_name().c_str())(); }

  void make_in_tenon() {
    LockedSegment locked = segment_.lock(never).or_throw();
    locked.find_or_construct<std::uint64_t>("a new one").or_throw();
    locked.destroy<std::uint64_t>("a new one").or_throw();
  }
  void make_in_boost() {
    boost_.find_or_construct<std::uint64_t>("a new one")();
    boost_.destroy<std::uint64_t>("a new one");
  }

  // The block of one's turn is freed, and one of another size allocated in its place.
  void allocate_in_tenon() {
    auto& block = tenon_blocks().blocks[turn_ % held];
    segment_.lock(never).or_throw().free(block).or_throw();
    segment_.lock(never).or_throw().allocate(block, next_size()).or_throw();
  }
  void allocate_in_boost() {
    void*& block = boost_blocks_[turn_ % held];
    if (block != nullptr) {
      boost_.deallocate(block);
    }
    block = boost_.allocate(next_size());
  }

 private:
  const std::string& next_name() { return names_[++turn_ % names_.size()]; }
  std::size_t next_size() {
    ++turn_;
    return 16 + turn_ * 7919 % 1000;
  }
  Held& tenon_blocks() {
    if (held_ == nullptr) {
      held_ = segment_.lock(never).or_throw().find<Held>("held").or_throw();
    }
    return *held_;
  }

  std::string boost_name_ = "tenon-bench-" + Token::random().hex();
  Segment segment_ = Segment::create_unnamed("bench", {.bytes = bytes}).or_throw();
  bip::managed_shared_memory boost_;
  std::vector<std::string> names_;
  std::array<void*, held> boost_blocks_{};
  Held* held_ = nullptr;
  std::size_t turn_ = 0;
};

harness::StreamPair pair_of(const std::string& what, Both& both, void (Both::*boost)(), void (Both::*own)()) {
  return {.name = what,
          .bare = harness::done_by_one_process("managed_shared_memory", [&both, boost] { (both.*boost)(); }),
          .wrapped = harness::done_by_one_process("Segment", [&both, own] { (both.*own)(); })};
}

}  // namespace

int main() try {
  Both few(10);
  Both many(10000);
  return harness::print_paired(
      "memory beside Boost.Interprocess",
      {pair_of("find_or_construct, found, of 10", few, &Both::find_in_boost, &Both::find_in_tenon),
       pair_of("find_or_construct, found, of 10,000", many, &Both::find_in_boost, &Both::find_in_tenon),
       pair_of("find_or_construct and destroy", few, &Both::make_in_boost, &Both::make_in_tenon),
       pair_of("free and allocate, 16 to 1,015 bytes", few, &Both::allocate_in_boost, &Both::allocate_in_tenon)});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
