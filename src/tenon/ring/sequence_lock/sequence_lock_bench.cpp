// A value of 64 bytes stored and loaded beside the same copied twice, in pairs of blocks.
#include <tenon/ring/sequence_lock/sequence_lock.hpp>

#include <harness/byte_stream.hpp>
#include <harness/payload.hpp>

#include <array>
#include <cstdio>
#include <memory>

using namespace tenon;

namespace {

using Value = std::array<std::uint64_t, 8>;

struct Bare {
  std::array<std::atomic<std::uint64_t>, 8> words{};
  std::uint64_t next = 0;
  void store_and_load() {
    ++next;
    for (std::size_t i = 0; i < 8; ++i) {
      words[i].store(next + i, std::memory_order_relaxed);  // a bare copy: nobody else reads it
    }
    Value value;
    for (std::size_t i = 0; i < 8; ++i) {
      value[i] = words[i].load(std::memory_order_relaxed);  // a bare copy: nobody else writes it
    }
    harness::check_words<8>(value.data(), next);
  }
};
struct Locked {
  SequenceLock<Value> lock;
  std::uint64_t next = 0;
  void store_and_load() {
    Value value;
    harness::write_words<8>(value.data(), ++next);
    lock.write(value);
    harness::check_words<8>(lock.read().data(), next);
  }
};

}  // namespace

int main() try {
  const auto bare = std::make_shared<Bare>();
  const auto locked = std::make_shared<Locked>();
  return harness::print_paired(
      "sequence lock", {{.name = "64 B, stored and loaded",
                         .bare = harness::done_by_one_process("copied twice", [=] { bare->store_and_load(); }),
                         .wrapped = harness::done_by_one_process("store, load", [=] { locked->store_and_load(); })}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
