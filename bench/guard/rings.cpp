// The rings: a value goes in and comes out. 64 bytes, but where a ring has another unit.
#include <tenon/os/mapping.hpp>
#include <tenon/ring/broadcast_ring/broadcast_ring.hpp>
#include <tenon/ring/byte_ring/byte_ring.hpp>
#include <tenon/ring/draining_ring/draining_ring.hpp>
#include <tenon/ring/index_pool/index_pool.hpp>
#include <tenon/ring/mpmc_ring/mpmc_ring.hpp>
#include <tenon/ring/sequence_lock/sequence_lock.hpp>
#include <tenon/ring/sequenced_ring/sequenced_ring.hpp>
#include <guard/rooms.hpp>

#include <array>

namespace guard {

namespace {

using tenon::Mapping;
using Line = Words<8>;

constexpr std::uint64_t slots = 256;

template <class Ring>
Mapping memory_of(std::uint64_t elements) {
  return Mapping::shared_with_children(Ring::bytes_for(elements).or_throw()).or_throw();
}

template <class Ring>
void count_one_to_one(Paths& paths, const char* name) {
  const Mapping memory = memory_of<Ring>(slots);
  auto ring = Ring::initialise(memory.bytes(), slots).or_throw();
  auto producer = ring.producer();
  auto consumer = ring.consumer();
  Line line{};
  paths.count(name, [&] {
    must(producer.try_push(line));
    line = *consumer.try_pop();
  });
}

void count_mpmc(Paths& paths) {
  using Ring = tenon::MpmcRing<Line>;
  const Mapping memory = memory_of<Ring>(slots);
  auto ring = Ring::initialise(memory.bytes(), slots).or_throw();
  Line line{};
  paths.count("mpmc ring: 64 B, push and pop", [&] {
    must(ring.try_push(line));
    line = *ring.try_pop();
  });
}

void count_broadcast(Paths& paths) {
  using Ring = tenon::BroadcastRing<Line>;
  const Mapping memory = memory_of<Ring>(slots);
  auto ring = Ring::initialise(memory.bytes(), slots).or_throw();
  Ring::Gate gate{0};
  const std::array<const Ring::Gate*, 1> gates = {&gate};
  auto producer = ring.producer();
  producer.set_gates(gates);
  auto consumer = ring.gated_consumer(gate, 0);
  Line line{};
  paths.count("broadcast ring: 64 B, publish and receive", [&] {
    must(producer.try_publish(line));
    must(consumer.try_receive(line) == Ring::Seen::message);
  });
}

void count_bytes(Paths& paths) {
  using Ring = tenon::ByteRing<>;
  constexpr std::uint64_t capacity = 16 << 10;
  const Mapping memory = memory_of<Ring>(capacity);
  auto ring = Ring::initialise(memory.bytes(), capacity).or_throw();
  auto writer = ring.writer();
  auto reader = ring.reader();
  std::array<std::byte, 64> bytes{};
  paths.count("byte ring: 64 B, write and read",
              [&] { must(writer.write(bytes) == bytes.size() && reader.read(bytes) == bytes.size()); });
}

void count_index_pool(Paths& paths) {
  using Pool = tenon::IndexPool<>;
  const Mapping memory = memory_of<Pool>(slots);
  auto pool = Pool::initialise(memory.bytes(), slots).or_throw();
  paths.count("index pool: take and give", [&] { pool.give(*pool.take()); });
}

void count_sequence_lock(Paths& paths) {
  tenon::SequenceLock<Line> lock;
  Line line{};
  paths.count("sequence lock: 64 B, write and read", [&] {
    lock.write(line);
    must(lock.try_read(line));
  });
}

}  // namespace

void count_rings(Paths& paths) {
  count_one_to_one<tenon::SequencedRing<Line>>(paths, "sequenced ring: 64 B, push and pop");
  count_one_to_one<tenon::DrainingRing<Line>>(paths, "draining ring: 64 B, push and pop");
  count_mpmc(paths);
  count_broadcast(paths);
  count_bytes(paths);
  count_index_pool(paths);
  count_sequence_lock(paths);
}

}  // namespace guard
