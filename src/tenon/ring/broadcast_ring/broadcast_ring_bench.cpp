// The ring with one gated consumer beside the bare one of 64-byte slots, in pairs of blocks.
#include <tenon/ring/broadcast_ring/broadcast_ring.hpp>

#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/sequenced_ring.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

namespace {

using Payload = std::array<std::uint64_t, 7>;
using Ring = BroadcastRing<Payload>;
constexpr std::size_t gate_bytes = cache_line;

// The gate stands before the ring, and the list of gates in the producer's own memory.
Ring::Gate& gate_in(MutableBytes shared) { return *reinterpret_cast<Ring::Gate*>(shared.data()); }

struct Sender {
  explicit Sender(MutableBytes shared)
      : end(Ring::open(shared.subspan(gate_bytes)).or_throw().producer()), gates{&gate_in(shared)} {}
  void step() {
    if (!gated) {
      end.set_gates(gates);  // only now: before, it was moved about
      gated = true;
    }
    Payload payload;
    harness::write_words<7>(payload.data(), end.next());
    harness::spin_until([&] { return end.try_publish(payload); });
  }
  Ring::Producer end;
  std::array<const Ring::Gate*, 1> gates;
  bool gated = false;
};
struct Receiver {
  Ring::Consumer end;
  void step() {
    Payload payload;
    const std::uint64_t number = end.next();
    harness::spin_until([&] { return end.try_receive(payload) == Ring::Seen::message; });
    harness::check_words<7>(payload.data(), number);
  }
};

auto wrapped(std::uint64_t slots) {
  return limits::RingSides{gate_bytes + Ring::bytes_for(slots).or_throw(), slots,
                           std::function<void(MutableBytes)>([=](MutableBytes shared) {
                             ::new (shared.data()) Ring::Gate{0};
                             Ring::initialise(shared.subspan(gate_bytes), slots).or_throw();
                           }),
                           [](MutableBytes shared) { return Sender(shared); },
                           [](MutableBytes shared) {
                             Ring ring = Ring::open(shared.subspan(gate_bytes)).or_throw();
                             return Receiver{ring.gated_consumer(gate_in(shared), 0)};
                           }};
}

}  // namespace

int main() try {
  using Bare = limits::SequencedRing<64>;
  return harness::print_paired("broadcast ring", {{.name = "56 B, 4 MiB, one way, reliable",
                                                   .bare = limits::one_way("one way", limits::bare_ring<Bare>(65536)),
                                                   .wrapped = limits::one_way("one way", wrapped(65536)),
                                                   .where = harness::StreamPair::Where::across_cores}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
