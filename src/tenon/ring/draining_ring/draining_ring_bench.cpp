// The ring beside the bare one of 64-byte slots, in pairs of blocks: sixteen messages to a batch.
#include <tenon/ring/draining_ring/draining_ring.hpp>

#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <limits/draining_ring.hpp>
#include <limits/ring_subjects.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

namespace {

using Payload = std::array<std::uint64_t, 8>;
using Ring = DrainingRing<Payload>;

struct Sender {
  Ring::Producer end;
  std::uint64_t next = 0;
  void step() {
    Payload* place = nullptr;
    harness::relaxed_spin_until([&] { return (place = end.try_loan()) != nullptr; });
    harness::write_words<8>(place->data(), next);
    end.commit();
    if (++next % 16 == 0) {
      end.publish();
    }
  }
  void finish() { end.publish(); }
};
struct Receiver {
  Ring::Consumer end;
  std::uint64_t wanted;
  std::uint64_t known = 0;
  std::uint64_t next = 0;
  void step() {
    if (known == 0) {
      look();
    }
    harness::check_words<8>(end.try_front()->data(), next);
    end.pop();
    --known;
    ++next;
  }
  // Half a ring at once, or what is there once no more comes: right behind the sender each line costs a bounce.
  void look() {
    std::uint64_t before = 0;
    harness::relaxed_spin_until([&] {
      before = known;
      known = end.available(wanted);
      for (int i = 0; i < 16 && known < wanted; ++i) {
        harness::relax();
      }
      return known >= wanted || (known != 0 && known == before);
    });
  }
};

auto wrapped(std::uint64_t slots) {
  return limits::RingSides{
      Ring::bytes_for(slots).or_throw(), slots,
      std::function<void(MutableBytes)>([=](MutableBytes shared) { Ring::initialise(shared, slots).or_throw(); }),
      [](MutableBytes shared) { return Sender{Ring::open(shared).or_throw().producer()}; },
      [=](MutableBytes shared) { return Receiver{Ring::open(shared).or_throw().consumer(), slots / 2}; }};
}

}  // namespace

int main() try {
  using Bare = limits::DrainingRing<64>;
  std::vector<harness::StreamPair> pairs;
  for (const std::uint64_t slots : {4096U, 65536U}) {
    pairs.push_back({.name = std::to_string(slots) + " slots of 64 B, one way",
                     .bare = limits::one_way("one way", limits::bare_ring<Bare>(slots, slots / 2)),
                     .wrapped = limits::one_way("one way", wrapped(slots)),
                     .where = harness::StreamPair::Where::across_cores});
  }
  return harness::print_paired("draining ring", pairs);
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
