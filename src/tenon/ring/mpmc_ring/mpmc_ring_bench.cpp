// The ring with one producer and one consumer beside the bare one of 64-byte slots, in pairs of blocks.
#include <tenon/ring/mpmc_ring/mpmc_ring.hpp>

#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/sequenced_ring.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

namespace {

using Payload = std::array<std::uint64_t, 7>;
using Ring = MpmcRing<Payload>;

struct Sender {
  Ring ring;
  void step() {
    std::optional<Ring::Claimed> claimed;
    harness::spin_until([&] { return (claimed = ring.try_loan()).has_value(); });
    harness::write_words<7>(claimed->value->data(), claimed->number);
    ring.publish(*claimed);
  }
};
struct Receiver {
  Ring ring;
  void step() {
    std::optional<Ring::Claimed> claimed;
    harness::spin_until([&] { return (claimed = ring.try_take()).has_value(); });
    harness::check_words<7>(claimed->value->data(), claimed->number);
    ring.release(*claimed);
  }
};

auto wrapped(std::uint64_t slots) {
  return limits::RingSides{
      Ring::bytes_for(slots).or_throw(), slots,
      std::function<void(MutableBytes)>([=](MutableBytes shared) { Ring::initialise(shared, slots).or_throw(); }),
      [](MutableBytes shared) { return Sender{Ring::open(shared).or_throw()}; },
      [](MutableBytes shared) { return Receiver{Ring::open(shared).or_throw()}; }};
}

}  // namespace

int main() try {
  using Bare = limits::SequencedRing<64>;
  return harness::print_paired("mpmc ring", {{.name = "56 B, 64 KiB, one way",
                                              .bare = limits::one_way("one way", limits::bare_ring<Bare>(1024)),
                                              .wrapped = limits::one_way("one way", wrapped(1024)),
                                              .where = harness::StreamPair::Where::across_cores}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
