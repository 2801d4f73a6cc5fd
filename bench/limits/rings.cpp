#include <harness/table.hpp>
#include <limits/draining_ring.hpp>
#include <limits/limit.hpp>
#include <limits/ring_subjects.hpp>
#include <limits/sequenced_ring.hpp>

namespace limits {

namespace {

constexpr std::size_t kib = 1024;

std::vector<std::size_t> depths(Extent extent) {
  return extent == Extent::quick ? std::vector<std::size_t>{64 * kib, 1024 * kib, 4096 * kib}
                                 : std::vector<std::size_t>{64 * kib, 256 * kib, 1024 * kib, 2048 * kib, 4096 * kib};
}

std::string name_of_ring(const char* family, std::size_t slot_bytes, std::size_t ring_bytes, Kind kind) {
  return std::string(family) + ", " + harness::size_text(slot_bytes) + " slots, " + harness::size_text(ring_bytes) +
         ", " + std::string(name_of(kind));
}

template <class Ring>
Limit one_way(std::size_t slot_bytes, std::size_t ring_bytes) {
  const std::size_t slots = ring_bytes / slot_bytes;
  return {.family = Ring::family,
          .subject = one_way(name_of_ring(Ring::family, slot_bytes, ring_bytes, Kind::one_way),
                             bare_ring<Ring>(slots, slots / 2)),
          .where = Where::across_cores,
          .kind = Kind::one_way,
          .payload_bytes = slot_bytes};
}

template <class Ring>
Limit round_trip(std::size_t slot_bytes, std::size_t ring_bytes) {
  return {.family = Ring::family,
          .subject = there_and_back(name_of_ring(Ring::family, slot_bytes, ring_bytes, Kind::round_trip),
                                    bare_ring<Ring>(ring_bytes / slot_bytes, 1)),
          .where = Where::across_cores,
          .kind = Kind::round_trip,
          .payload_bytes = slot_bytes};
}

template <template <std::size_t> class Ring, std::size_t... slot_bytes>
std::vector<Limit> rings(Extent extent) {
  std::vector<Limit> limits;
  const auto add = [&]<class Sized>(std::size_t bytes, Sized*) {
    limits.push_back(round_trip<Sized>(bytes, depths(extent).front()));
    for (std::size_t ring_bytes : depths(extent)) {
      limits.push_back(one_way<Sized>(bytes, ring_bytes));
    }
  };
  (add(slot_bytes, static_cast<Ring<slot_bytes>*>(nullptr)), ...);
  return limits;
}

}  // namespace

std::vector<Limit> sequenced_rings(Extent extent) { return rings<SequencedRing, 8, 64, 1024>(extent); }
std::vector<Limit> draining_rings(Extent extent) { return rings<DrainingRing, 8, 64, 1024>(extent); }

}  // namespace limits
