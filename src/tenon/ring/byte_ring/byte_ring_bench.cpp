// Writes of 64 bytes through the ring beside the bare ring of 64-byte slots, in pairs of blocks.
#include <tenon/ring/byte_ring/byte_ring.hpp>

#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <limits/draining_ring.hpp>
#include <limits/ring_subjects.hpp>

#include <array>
#include <cstdio>

using namespace tenon;

namespace {

using Payload = std::array<std::uint64_t, 8>;
using Ring = ByteRing<>;

struct Writer {
  Ring::Writer end;
  std::uint64_t next = 0;
  void step() {
    Payload payload;
    harness::write_words<8>(payload.data(), next++);
    harness::relaxed_spin_until([&] { return end.write(std::as_bytes(std::span(payload))) != 0; });
  }
};
struct Reader {
  Ring::Reader end;
  std::uint64_t next = 0;
  void step() {
    Payload payload;
    harness::relaxed_spin_until([&] { return end.read(std::as_writable_bytes(std::span(payload))) != 0; });
    harness::check_words<8>(payload.data(), next++);
  }
};

auto wrapped(std::uint64_t capacity) {
  return limits::RingSides{
      Ring::bytes_for(capacity).or_throw(), capacity / 64,
      std::function<void(MutableBytes)>([=](MutableBytes shared) { Ring::initialise(shared, capacity).or_throw(); }),
      [](MutableBytes shared) { return Writer{Ring::open(shared).or_throw().writer()}; },
      [](MutableBytes shared) { return Reader{Ring::open(shared).or_throw().reader()}; }};
}

}  // namespace

int main() try {
  using Bare = limits::DrainingRing<64>;
  return harness::print_paired("byte ring", {{.name = "64 B, 4 MiB, one way",
                                              .bare = limits::one_way("one way", limits::bare_ring<Bare>(65536, 32768)),
                                              .wrapped = limits::one_way("one way", wrapped(65536 * 64)),
                                              .where = harness::StreamPair::Where::across_cores}});
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
