// The ring beside the bare one of 64-byte slots, in pairs of blocks.
#include <tenon/ring/sequenced_ring/sequenced_ring.hpp>

#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/sequenced_ring.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

namespace {

using Payload = std::array<std::uint64_t, 7>;
using Ring = SequencedRing<Payload>;
constexpr auto across_cores = harness::StreamPair::Where::across_cores;

struct Sender {
  Ring::Producer end;
  void step() {
    Payload* place = nullptr;
    harness::spin_until([&] { return (place = end.try_loan()) != nullptr; });
    harness::write_words<7>(place->data(), end.next());
    end.publish();
  }
};
struct Receiver {
  Ring::Consumer end;
  void step() {
    const Payload* front = nullptr;
    harness::spin_until([&] { return (front = end.try_front()) != nullptr; });
    harness::check_words<7>(front->data(), end.next());
    end.pop();
  }
};

auto wrapped(std::uint64_t slots) {
  return limits::RingSides{
      Ring::bytes_for(slots).or_throw(), slots,
      std::function<void(MutableBytes)>([=](MutableBytes shared) { Ring::initialise(shared, slots).or_throw(); }),
      [](MutableBytes shared) { return Sender{Ring::open(shared).or_throw().producer()}; },
      [](MutableBytes shared) { return Receiver{Ring::open(shared).or_throw().consumer()}; }};
}

}  // namespace

int main() try {
  using Bare = limits::SequencedRing<64>;
  constexpr std::uint64_t few = 1024;
  constexpr std::uint64_t many = 65536;
  return harness::print_paired("sequenced ring",
                               {{.name = "56 B, 64 KiB, there and back",
                                 .bare = limits::there_and_back("there and back", limits::bare_ring<Bare>(few)),
                                 .wrapped = limits::there_and_back("there and back", wrapped(few)),
                                 .where = across_cores},
                                {.name = "56 B, 4 MiB, one way",
                                 .bare = limits::one_way("one way", limits::bare_ring<Bare>(many)),
                                 .wrapped = limits::one_way("one way", wrapped(many)),
                                 .where = across_cores}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
