// The lock-free parts of a topic under the deterministic scheduler: every schedule with a few preemptions and old
// values.
#include <tenon/messaging/topic/chunk_pool.hpp>
#include <tenon/messaging/topic/gate_scan.hpp>
#include <tenon/messaging/topic/message_ring.hpp>
#include <tenon/messaging/topic/topic_bell.hpp>

#include <kit/schedule.hpp>

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace {

using tenon::MessageAbout;
using Entry = tenon::MessageEntry<5, kit::Atomic>;
using Ring = tenon::MessageRing<Entry>;
using Pool = tenon::ChunkPool<kit::Atomic>;
using Seen = Ring::Seen;

constexpr std::uint64_t first = ~std::uint64_t{0};  // numbers wrap
constexpr std::uint64_t token = 7;

struct Parts {
  Parts() { ring.initialise(first); }

  std::array<Entry, 2> entries;
  Ring ring{entries};
  std::array<kit::Atomic<std::uint32_t>, 1> pins{0};
  std::array<kit::Plain<std::uint64_t>, 3> chunks;
};

void expect_all(const std::function<kit::Scenario()>& make, const kit::ScheduleOptions& options = {}) {
  const kit::ScheduleReport report = kit::explore(make, options);
  EXPECT_TRUE(report.passed()) << report.message();
  EXPECT_TRUE(report.exhaustive);
  EXPECT_GT(report.runs, 100U);
}

kit::Scenario a_lossy_subscriber() {
  auto parts = std::make_shared<Parts>();
  const auto publish = [parts] {
    Ring::Writer writer(parts->ring, first);
    for (std::uint64_t i = 1; i <= 4; ++i) {
      writer.publish<2>(i, MessageAbout{.bytes = i}, {i, i});
    }
  };
  const auto receive = [parts] {
    Ring::Reader reader(parts->ring, first);
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    for (int looks = 0; looks < 4; ++looks) {
      Ring::Copy<2> copy;
      const Seen what = reader.look(copy);
      if (what == Seen::message) {
        ++received;
        reader.advance();
        const std::uint64_t expected = received + lost;
        kit::require(copy.word[0] == expected && copy.word[1] == expected, "a message is torn, or a gap miscounted");
        kit::require(copy.time == expected && MessageAbout::unpack(copy.about).bytes == expected, "its head is torn");
      } else if (what == Seen::gap) {
        lost += reader.skip();
      }
    }
  };
  return {.threads = {publish, receive}};
}

TEST(TopicModel, a_lossy_subscriber_sees_whole_messages_and_counts_gaps_in_any_schedule) {
  expect_all(a_lossy_subscriber);
}

// Takes a chunk, back from the subscriber where it must.
std::uint32_t take(Pool& pool, const Parts& parts) {
  const std::array<std::span<const Pool::Pin>, 1> pins{parts.pins};
  while (pool.free() == 0 && pool.reclaim(pins) == 0) {
    kit::yield();
  }
  return *pool.take();
}

// What a publisher does whose chunks go round.
void publish_in_turn(Parts& parts) {
  Ring::Writer writer(parts.ring, first);
  Pool pool(3, tenon::ChunkOrder::oldest_first);
  std::array<std::uint32_t, 2> in_entry{};
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const std::uint32_t chunk = take(pool, parts);
    parts.chunks[chunk].write(i);
    writer.publish<2>(0, MessageAbout{.form = tenon::MessageForm::chunk}, {chunk, i});
    if (i > 2) {
      pool.retire(in_entry[i % 2]);
    }
    in_entry[i % 2] = chunk;
  }
}

// The same of one that writes each message where the last one was, unless that is held.
void publish_in_place(Parts& parts) {
  Ring::Writer writer(parts.ring, first);
  Pool pool(2, tenon::ChunkOrder::newest_first);
  std::optional<std::uint32_t> last;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    if (last) {
      writer.withdraw(1);
      pool.retire(*last);
      pool.reclaim(std::array<std::span<const Pool::Pin>, 1>{parts.pins});
    }
    last = take(pool, parts);
    parts.chunks[*last].write(i);
    writer.publish<2>(0, MessageAbout{.form = tenon::MessageForm::chunk}, {*last, i});
  }
}

kit::Scenario a_holder(void (*publisher)(Parts&)) {
  auto parts = std::make_shared<Parts>();
  const auto publish = [parts, publisher] { publisher(*parts); };
  const auto hold = [parts] {
    Ring::Reader reader(parts->ring, first);
    for (int looks = 0; looks < 2; ++looks) {
      Ring::Copy<2> copy;
      if (reader.look(copy) != Seen::message) {
        reader.skip();
        continue;
      }
      const auto chunk = static_cast<std::uint32_t>(copy.word[0]);
      tenon::pin_chunk(parts->pins[0], chunk);
      if (reader.still_there()) {
        kit::require(parts->chunks[chunk].read() == copy.word[1], "a chunk was written while it was held");
        reader.advance();
      }
      tenon::unpin_chunk(parts->pins[0]);
    }
  };
  return {.threads = {publish, hold}};
}

TEST(TopicModel, a_chunk_that_is_held_is_not_written_in_any_schedule) {
  expect_all([] { return a_holder(publish_in_turn); });
}

TEST(TopicModel, a_chunk_that_is_taken_back_is_not_written_while_it_is_held_in_any_schedule) {
  expect_all([] { return a_holder(publish_in_place); });
}

struct JoiningParts : Parts {
  kit::Atomic<std::uint64_t> named{0};               // the subscriber's file
  kit::Atomic<std::uint64_t> row{3};                 // was another publisher's,
  kit::Atomic<std::uint64_t> gate{1'000'000};        // whose numbers were others
  std::array<kit::Plain<std::uint64_t>, 2> payload;  // what the entries stand for: overwritten once it was read
};

// What a publisher does at its limit: finds out how far it may go.
void scan(JoiningParts& parts, Ring::Writer& writer, tenon::GateScan<kit::Atomic>& gates,
          std::optional<std::uint64_t>& newcomer) {
  gates.begin(writer.next());
  if (parts.named.load(std::memory_order_relaxed) != 0) {  // the fence before it is what is tested
    if (tenon::row_is_of(parts.row, token)) {
      gates.count(parts.gate);
    } else {
      newcomer = newcomer.value_or(gates.newcomer());
      gates.count(*newcomer);
    }
  }
  writer.allow_up_to(gates.limit());
}

kit::Scenario a_joiner(std::uint64_t messages) {
  auto parts = std::make_shared<JoiningParts>();
  const auto publish = [parts, messages] {
    Ring::Writer writer(parts->ring, first);
    tenon::GateScan<kit::Atomic> gates(first, 2);
    std::optional<std::uint64_t> newcomer;
    for (std::uint64_t i = 1; i <= messages; ++i) {
      while (!writer.may_publish()) {
        scan(*parts, writer, gates, newcomer);
        if (!writer.may_publish()) {
          kit::yield();
        }
      }
      writer.publish<1>(0, MessageAbout{}, {i});
    }
  };
  const auto join = [parts, messages] {
    parts->named.store(1, std::memory_order_relaxed);  // the fence behind it is what is tested
    tenon::fence_after_joining(parts->named);
    Ring::Reader reader(parts->ring, parts->ring.first_free(first));
    tenon::set_gate(parts->gate, reader.next());
    tenon::open_row(parts->row, token);
    while (reader.next() != first + messages) {
      Ring::Copy<1> copy;
      const Seen what = reader.look(copy);
      kit::require(what != Seen::gap, "a reliable subscriber was overtaken");
      if (what == Seen::nothing) {
        kit::yield();
        continue;
      }
      kit::require(copy.word[0] == reader.next() - first + 1, "a message is another than was sent");
      reader.advance();
      tenon::set_gate(parts->gate, reader.next());
    }
  };
  return {.threads = {publish, join}};
}

TEST(TopicModel, a_joiner_misses_nothing_from_its_start_on_in_any_schedule) {
  expect_all([] { return a_joiner(3); }, {.stale_reads = 1});
}

// What a gate lets pass has been read: bytes that are not atomic, beside the entry.
kit::Scenario a_reader_of_bytes() {
  auto parts = std::make_shared<JoiningParts>();
  const auto publish = [parts] {
    tenon::GateScan<kit::Atomic> gates(first, 2);
    parts->payload[1].write(1);
    for (gates.begin(first + 2), gates.count(parts->gate); gates.limit() == first + 2;
         gates.begin(first + 2), gates.count(parts->gate)) {
      kit::yield();
    }
    parts->payload[0].write(3);
  };
  parts->gate.store(first);  // before they run
  const auto read = [parts] {
    kit::require(parts->payload[0].read() == 0, "it was overwritten before it was read");
    tenon::set_gate(parts->gate, first + 1);
  };
  return {.threads = {publish, read}};
}

TEST(TopicModel, what_a_gate_has_passed_was_read_in_any_schedule) {
  const kit::ScheduleReport report = kit::explore(a_reader_of_bytes);
  EXPECT_TRUE(report.passed() && report.exhaustive) << report.message();
}

kit::Scenario a_sleeper() {
  struct Sleeping : Parts {
    tenon::BellWord<kit::Atomic> bell;
    kit::Atomic<std::uint32_t> wakes{0};
  };
  auto parts = std::make_shared<Sleeping>();
  const auto publish = [parts] {
    Ring::Writer writer(parts->ring, first);
    for (std::uint64_t i = 1; i <= 2; ++i) {
      writer.publish<1>(0, MessageAbout{}, {i});
      tenon::fence_before_ringing(parts->bell.word());
      if (parts->bell.is_wanted()) {
        parts->bell.silence();
        parts->wakes.fetch_add(1);
      }
    }
  };
  const auto receive = [parts] {
    const Ring::Reader reader(parts->ring, first + 1);  // waits for the second
    Ring::Copy<1> copy;
    while (reader.look(copy) == Seen::nothing) {
      const std::uint32_t wakes = parts->wakes.fetch_add(0);
      const std::uint32_t told = parts->bell.announce();
      tenon::fence_before_looking(parts->bell.word());
      if (reader.look(copy) != Seen::nothing) {
        break;
      }
      // The kernel: compares the newest value, and sleeps until a wake.
      auto& word = const_cast<kit::Atomic<std::uint32_t>&>(parts->bell.word());
      while (word.fetch_or(0) == told && parts->wakes.fetch_add(0) == wakes) {
        kit::yield();
      }
    }
  };
  return {.threads = {publish, receive}};
}

TEST(TopicModel, no_sleeper_misses_what_is_published_in_any_schedule) { expect_all(a_sleeper); }

}  // namespace
