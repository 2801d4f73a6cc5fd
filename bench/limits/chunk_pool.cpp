// Payloads that stay where they were written: only an index goes over.
//
// Layout: two lines of indexes with one word each, there and back, a line for the receiver's count, then a ring of
// indexes for one way, then the chunks of the pool. A word of a hand-over is (number of the message + 1) << 8 | index.
//
//   S1  store-release of a word (give) → load-acquire (take): publishes the chunk.
//   S2  store-release of the receiver's count (one way) → load-acquire (sender): the chunks before it may be written.
#include <tenon/base/cache_line.hpp>
#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <harness/table.hpp>
#include <limits/limit.hpp>
#include <limits/stepping_side.hpp>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <stdexcept>

namespace limits {

namespace {

using tenon::MutableBytes;
using Word = std::uint64_t;
using Shared = std::atomic_ref<Word>;

constexpr std::size_t line_words = tenon::cache_line / sizeof(Word);
constexpr std::size_t handed_over_at_once = 64;  // at most, since at most so many chunks are in a pool
constexpr std::size_t chunks_at = 8192;          // the next page after the lines

Word& word_on_line(MutableBytes shared, std::size_t line) {
  return reinterpret_cast<Word*>(shared.data())[line * line_words];
}

struct Pool {
  MutableBytes chunks;
  std::size_t chunk_bytes;
  std::size_t count;

  MutableBytes chunk(std::size_t index) const {
    if (index >= count) [[unlikely]] {
      throw std::runtime_error("an index beyond the pool was handed over");
    }
    return chunks.subspan(index * chunk_bytes, chunk_bytes);
  }
};

void give(Word& word, Word k, std::size_t index) {
  Shared(word).store((k + 1) << 8 | index, std::memory_order_release);  // S1
}

std::size_t take(Word& word, Word k) {
  Word seen = 0;
  harness::spin_until([&] {
    seen = Shared(word).load(std::memory_order_acquire);  // S1
    return seen >> 8 == k + 1;
  });
  return seen & 0xff;
}

// Each end of a round trip writes the next of its own chunks, as two writers who share no page would.
struct RoundTripEnd {
  Pool own;
  Pool peers;
  Word* send_word;
  Word* receive_word;
  bool begins;
  Word k = 0;

  void send() const {
    const std::size_t index = k % own.count;
    harness::write_payload(own.chunk(index), k);
    give(*send_word, k, index);
  }
  void receive() const { harness::check_payload(peers.chunk(take(*receive_word, k)), k); }
  void step() {
    if (begins) {
      send();
      receive();
    } else {
      receive();
      send();
    }
    ++k;
  }
};

struct OneWaySender {
  Pool pool;
  MutableBytes shared;
  Word k = 0;
  Word known_taken = 0;

  void step() {
    if (k - known_taken == pool.count) {
      harness::spin_until([&] {
        known_taken = Shared(word_on_line(shared, 2)).load(std::memory_order_acquire);  // S2
        return k - known_taken != pool.count;
      });
    }
    const std::size_t index = k % pool.count;
    harness::write_payload(pool.chunk(index), k);
    give(word_on_line(shared, 3 + k % handed_over_at_once), k, index);
    ++k;
  }
};

struct OneWayReceiver {
  Pool pool;
  MutableBytes shared;
  Word k = 0;

  void step() {
    const std::size_t index = take(word_on_line(shared, 3 + k % handed_over_at_once), k);
    harness::check_payload(pool.chunk(index), k);
    ++k;
    Shared(word_on_line(shared, 2)).store(k, std::memory_order_release);  // S2
  }
};

std::string name_of_pool(std::size_t chunk_bytes, std::size_t count, Kind kind) {
  return "chunk pool, " + harness::size_text(chunk_bytes) + " × " + std::to_string(count) + ", " +
         std::string(name_of(kind));
}

Limit round_trip(std::size_t chunk_bytes, std::size_t count) {
  const std::size_t pool_bytes = chunk_bytes * count;
  const auto end = [=](bool begins) {
    return [=](MutableBytes shared) {
      const Pool there{shared.subspan(chunks_at, pool_bytes), chunk_bytes, count};
      const Pool back{shared.subspan(chunks_at + pool_bytes, pool_bytes), chunk_bytes, count};
      return RoundTripEnd{.own = begins ? there : back,
                          .peers = begins ? back : there,
                          .send_word = &word_on_line(shared, begins ? 0 : 1),
                          .receive_word = &word_on_line(shared, begins ? 1 : 0),
                          .begins = begins};
    };
  };
  return {.family = "chunk pool",
          .subject = {.name = name_of_pool(chunk_bytes, count, Kind::round_trip),
                      .shared_bytes = chunks_at + 2 * pool_bytes,
                      .sides = {stepping_side("asker", end(true)), stepping_side("answerer", end(false))},
                      .lap = count},
          .where = Where::across_cores,
          .kind = Kind::round_trip,
          .payload_bytes = chunk_bytes};
}

Limit one_way(std::size_t chunk_bytes, std::size_t count) {
  const std::size_t pool_bytes = chunk_bytes * count;
  const auto pool = [=](MutableBytes shared) {
    return Pool{shared.subspan(chunks_at, pool_bytes), chunk_bytes, count};
  };
  auto sender = [=](MutableBytes shared) { return OneWaySender{.pool = pool(shared), .shared = shared}; };
  auto receiver = [=](MutableBytes shared) { return OneWayReceiver{.pool = pool(shared), .shared = shared}; };
  return {.family = "chunk pool",
          .subject = {.name = name_of_pool(chunk_bytes, count, Kind::one_way),
                      .shared_bytes = chunks_at + pool_bytes,
                      .sides = {stepping_side("sender", sender), stepping_side("receiver", receiver)},
                      .timed_side = 1,
                      .lap = count},
          .where = Where::across_cores,
          .kind = Kind::one_way,
          .payload_bytes = chunk_bytes};
}

}  // namespace

std::vector<Limit> chunk_pools_of(std::size_t chunk_bytes, Kind kind, Extent extent) {
  const std::vector<std::size_t> counts =
      extent == Extent::quick ? std::vector<std::size_t>{1, 4, 32} : std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64};
  std::vector<Limit> limits;
  for (std::size_t count : counts) {
    limits.push_back(kind == Kind::round_trip ? round_trip(chunk_bytes, count) : one_way(chunk_bytes, count));
  }
  return limits;
}

std::vector<Limit> chunk_pools(Extent extent) {
  constexpr std::size_t kib = 1024;
  std::vector<Limit> limits;
  for (std::size_t chunk_bytes : {kib, 64 * kib, 1024 * kib, 4096 * kib}) {
    for (Kind kind : {Kind::round_trip, Kind::one_way}) {
      std::ranges::move(chunk_pools_of(chunk_bytes, kind, extent), std::back_inserter(limits));
    }
  }
  return limits;
}

}  // namespace limits
