#include <harness/table.hpp>
#include <limits/draining_ring.hpp>
#include <limits/limit.hpp>
#include <limits/sequenced_ring.hpp>
#include <limits/stepping_side.hpp>

#include <type_traits>

namespace limits {

namespace {

using tenon::MutableBytes;

constexpr std::size_t kib = 1024;

std::vector<std::size_t> depths(Extent extent) {
  return extent == Extent::quick ? std::vector<std::size_t>{64 * kib, 1024 * kib, 4096 * kib}
                                 : std::vector<std::size_t>{64 * kib, 256 * kib, 1024 * kib, 2048 * kib, 4096 * kib};
}

template <class Ring>
struct Sender {
  Ring ring;
  void step() { ring.put(); }
  void finish() {
    if constexpr (requires { ring.publish(); }) {
      ring.publish();
    }
  }
};
template <class Ring>
struct Receiver {
  Ring ring;
  void step() { ring.take(); }
};
template <class Ring>
struct Asker {
  Ring there;
  Ring back;
  void step() {
    there.put();
    back.take();
  }
};
template <class Ring>
struct Answerer {
  Ring there;
  Ring back;
  void step() {
    there.take();
    back.put();
  }
};

std::string name_of_ring(const char* family, std::size_t slot_bytes, std::size_t ring_bytes, Kind kind) {
  return std::string(family) + ", " + harness::size_text(slot_bytes) + " slots, " + harness::size_text(ring_bytes) +
         ", " + std::string(name_of(kind));
}

template <class Ring>
Ring make(std::byte* memory, std::size_t slots, std::size_t gathered) {
  if constexpr (std::is_constructible_v<Ring, std::byte*, std::size_t, std::size_t>) {
    return Ring(memory, slots, gathered);
  } else {
    return Ring(memory, slots);
  }
}

template <class Ring>
Limit one_way(std::size_t slot_bytes, std::size_t ring_bytes) {
  const std::size_t slots = ring_bytes / slot_bytes;
  auto sender = [=](MutableBytes shared) { return Sender<Ring>{make<Ring>(shared.data(), slots, slots / 2)}; };
  auto receiver = [=](MutableBytes shared) { return Receiver<Ring>{make<Ring>(shared.data(), slots, slots / 2)}; };
  return {.family = Ring::family,
          .subject = {.name = name_of_ring(Ring::family, slot_bytes, ring_bytes, Kind::one_way),
                      .shared_bytes = Ring::shared_bytes(slots),
                      .sides = {stepping_side("sender", sender), stepping_side("receiver", receiver)},
                      .timed_side = 1,
                      .lap = slots},
          .where = Where::across_cores,
          .kind = Kind::one_way,
          .payload_bytes = slot_bytes};
}

template <class Ring>
Limit round_trip(std::size_t slot_bytes, std::size_t ring_bytes) {
  const std::size_t slots = ring_bytes / slot_bytes;
  const std::size_t second = Ring::shared_bytes(slots);
  const auto there = [=](MutableBytes shared) { return make<Ring>(shared.data(), slots, 1); };
  const auto back = [=](MutableBytes shared) { return make<Ring>(shared.data() + second, slots, 1); };
  auto asker = [=](MutableBytes shared) { return Asker<Ring>{there(shared), back(shared)}; };
  auto answerer = [=](MutableBytes shared) { return Answerer<Ring>{there(shared), back(shared)}; };
  return {.family = Ring::family,
          .subject = {.name = name_of_ring(Ring::family, slot_bytes, ring_bytes, Kind::round_trip),
                      .shared_bytes = 2 * second,
                      .sides = {stepping_side("asker", asker), stepping_side("answerer", answerer)},
                      .lap = slots},
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
