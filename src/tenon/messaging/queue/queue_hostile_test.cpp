// Whatever stands in a queue's memory: it is refused, or ignored, and leads nobody out of it.
#include <tenon/messaging/queue/queue.hpp>

#include <kit/numbers.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <chrono>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <random>
#include <vector>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

using kit::numbered;
using Job = kit::Numbers<7>;
using Jobs = Queue<Job>;
using Words = Queue<Slice<std::uint64_t>>;

constexpr std::uint32_t slots = 520;  // hints of two levels
constexpr std::uint64_t arena = 1024;
constexpr std::array<std::uint64_t, 10> evil = {0,
                                                1,
                                                63,
                                                64,
                                                4095,
                                                UINT32_MAX,
                                                std::uint64_t{1} << 31,
                                                std::uint64_t{1} << 40,
                                                std::uint64_t{1} << 63,
                                                ~std::uint64_t{0}};

// A queue in memory of this test's own, with a guard of known bytes behind it.
template <class M>
class InMemory {
 public:
  static constexpr std::size_t guard = 4096;
  explicit InMemory(const Holder& holder, std::uint32_t members = 4)
      : holder_(holder),
        options_{.messages = slots, .bytes = arena, .members = members},
        bytes_(Queue<M>::memory_needed(options_).or_throw()),
        memory_(static_cast<std::byte*>(::operator new(bytes_ + guard, std::align_val_t{64}))) {
    std::memset(memory_.get(), 0, bytes_);
    std::memset(memory_.get() + bytes_, 0x5a, guard);
    Queue<M>::create_in(holder, {memory_.get(), bytes_}, options_).or_throw();
  }
  MutableBytes bytes() const { return {memory_.get(), bytes_}; }
  Queue<M> open() const { return Queue<M>::open_in(holder_, bytes()).or_throw(); }
  std::unique_ptr<QueuePort> port() const { return QueuePort::at(holder_, bytes(), QueueShape<M>::type()).or_throw(); }
  QueueHeader& header() const { return *reinterpret_cast<QueueHeader*>(memory_.get()); }
  bool guard_stands() const {
    return std::all_of(memory_.get() + bytes_, memory_.get() + bytes_ + guard,
                       [](std::byte byte) { return byte == std::byte{0x5a}; });
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  Holder holder_;
  QueueOptions options_;
  std::size_t bytes_;
  std::unique_ptr<std::byte, Free> memory_;
};

class HostileQueue : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a queue full of garbage", 60s};
};

// Whatever is asked of it ends, with one outcome or another.
void use(Words& words) {
  const std::vector<std::uint64_t> longer(20, 7);
  const std::vector<std::uint64_t> shorter(2, 7);
  for (std::uint32_t i = 0; i < slots + 1; ++i) {
    static_cast<void>(words.try_send(i % 2 == 0 ? shorter : longer, Priority(i % 3)));
  }
  static_cast<void>(words.peek());
  static_cast<void>(words.try_take());
  for (std::uint32_t i = 0; i < 2 * slots; ++i) {
    static_cast<void>(words.try_receive());
  }
  static_cast<void>(words.receive(after(1us)));
  static_cast<void>(words.send(longer, after(1us)));
  static_cast<void>(words.fill());
}

// F19 F20 F22
TEST_F(HostileQueue, a_header_with_garbage_in_any_word_is_refused_or_leads_nowhere) {
  for (std::size_t word = 0; word < sizeof(QueueHeader) / 8; ++word) {
    for (const std::uint64_t value : evil) {
      const InMemory<Slice<std::uint64_t>> memory(holder_);
      std::memcpy(memory.bytes().data() + 8 * word, &value, 8);
      auto opened = Words::open_in(holder_, memory.bytes());
      if (opened) {
        use(*opened);
      } else {
        EXPECT_THAT(opened.error().code(), testing::AnyOf(Errc::corrupt, Errc::version_mismatch, Errc::not_supported,
                                                          Errc::type_mismatch, Errc::invalid_argument))
            << word << " " << value;
      }
      opened = fail(Errc::closed);
      EXPECT_TRUE(memory.guard_stands()) << word << " " << value;
    }
  }
}

// F19 F20
TEST_F(HostileQueue, sizes_that_do_not_fit_its_memory_are_corrupt) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  const QueueHeader sound = memory.header();
  const auto refused = [&](auto change) {
    memory.header() = sound;
    change(memory.header());
    const bool is = Words::open_in(holder_, memory.bytes()).failed_with(Errc::corrupt);
    memory.header() = sound;
    return is;
  };
  EXPECT_TRUE(refused([](QueueHeader& header) { header.magic[0] = 'X'; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.slots = UINT32_MAX; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.slots = 0; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.members = 0; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.members = 100'000; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { ++header.blocks; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.block_bytes *= 2; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.block_bytes += 64; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.slot_bytes += 64; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.slot_bytes -= 1; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.slot_bytes = ~std::uint64_t{63}; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.short_bytes = header.slot_bytes; }));
  EXPECT_TRUE(refused([](QueueHeader& header) { header.bytes += 64; }));
  for (std::uint64_t QueueHeader::* at : {&QueueHeader::type_at, &QueueHeader::members_at, &QueueHeader::hints_at,
                                          &QueueHeader::heap_at, &QueueHeader::map_at, &QueueHeader::slots_at}) {
    EXPECT_TRUE(refused([&](QueueHeader& header) { header.*at = header.bytes; }));
    EXPECT_TRUE(refused([&](QueueHeader& header) { header.*at += 8; }));
    EXPECT_TRUE(refused([&](QueueHeader& header) { header.*at = ~std::uint64_t{63}; }));
    EXPECT_TRUE(refused([&](QueueHeader& header) { header.*at = 0; }));
  }
  EXPECT_TRUE(Words::open_in(holder_, memory.bytes().first(100)).failed_with(Errc::corrupt));
  EXPECT_TRUE(Words::open_in(holder_, memory.bytes().first(memory.bytes().size() - 64)).failed_with(Errc::corrupt));
}

// F27 F30
TEST_F(HostileQueue, another_layout_and_another_type_are_told_apart) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  const auto mistyped = Jobs::open_in(holder_, memory.bytes());
  EXPECT_TRUE(mistyped.failed_with(Errc::type_mismatch)) << mistyped.error().message();
  memory.header().mode = 1;
  EXPECT_TRUE(Words::open_in(holder_, memory.bytes()).failed_with(Errc::not_supported));
  memory.header().layout_version = 2;
  const auto newer = Words::open_in(holder_, memory.bytes());
  ASSERT_TRUE(newer.failed_with(Errc::version_mismatch));
  EXPECT_THAT(newer.error().message(), testing::HasSubstr("version 2"));
  EXPECT_THAT(newer.error().message(), testing::HasSubstr("version 1"));
}

// F22
TEST_F(HostileQueue, a_header_overwritten_in_use_changes_nothing_for_who_has_it_open) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  auto words = memory.open();
  std::memset(memory.bytes().data(), 0xff, sizeof(QueueHeader));
  words.try_send(std::vector<std::uint64_t>(20, 7)).or_throw();
  EXPECT_EQ(words.try_receive().or_throw().value.size(), 20U);
}

// F20 F21 F22
TEST_F(HostileQueue, a_message_that_lies_elsewhere_is_corrupt_and_goes) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  auto words = memory.open();
  const auto port = memory.port();
  const auto refused = [&](auto change) {
    words.try_send(std::vector<std::uint64_t>(20, 7)).or_throw();
    for (std::uint32_t i = 0; i < slots; ++i) {
      if (QueueSlot& slot = port->memory().slot(i); SlotState::of(slot.state.load()).phase == SlotPhase::ready) {
        change(slot);
      }
    }
    const bool peeked = words.peek().failed_with(Errc::corrupt);
    const bool received = words.try_receive().failed_with(Errc::corrupt);
    return peeked && received && words.try_receive().failed_with(Errc::would_block);
  };
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.length = 1000; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.length = ~std::uint64_t{0}; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.length = 159; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.first_block = 1000; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.first_block = UINT32_MAX; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.blocks = 1000; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.blocks = UINT32_MAX; }));
  EXPECT_TRUE(refused([](QueueSlot& slot) { slot.blocks = 0; }));
  EXPECT_TRUE(memory.guard_stands());
}

// F20 F22
TEST_F(HostileQueue, a_heap_of_garbage_is_corrupt_or_dropped_and_never_outgrows_its_room) {
  for (const std::uint32_t count : {1U, slots - 1, slots, slots + 1, UINT32_MAX}) {
    for (const std::uint32_t slot : {0U, slots - 1, slots, UINT32_MAX}) {
      const InMemory<Slice<std::uint64_t>> memory(holder_);
      auto words = memory.open();
      const auto port = memory.port();
      auto* const ranks = reinterpret_cast<QueueRank*>(memory.bytes().data() + memory.header().heap_at);
      std::fill(ranks, ranks + slots, QueueRank{.seq = 0, .priority = UINT32_MAX, .slot = slot});
      port->memory().state().queued.store(count);
      const std::vector<std::uint64_t> word{1};
      words.try_send(word).or_throw();
      auto got = words.try_receive();
      if (count > slots) {
        EXPECT_TRUE(got.failed_with(Errc::corrupt));
      } else {
        EXPECT_EQ(std::move(got).or_throw().value, word) << count << " " << slot;
      }
      use(words);
    }
  }
}

// F20 F22
TEST_F(HostileQueue, a_heap_that_is_full_beneath_a_message_is_not_written_beyond) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  auto words = memory.open();
  const auto port = memory.port();
  const std::vector<std::uint64_t> word{1};
  words.try_send(word, Priority(9)).or_throw();
  words.peek().or_throw();  // now it is in the heap
  auto* const ranks = reinterpret_cast<QueueRank*>(memory.bytes().data() + memory.header().heap_at);
  std::fill(ranks + 1, ranks + slots, QueueRank{.seq = 0, .priority = 0, .slot = 3});
  port->memory().state().queued.store(slots);
  const auto behind =
      std::vector<std::byte>(memory.bytes().begin() + static_cast<std::ptrdiff_t>(memory.header().map_at),
                             memory.bytes().begin() + static_cast<std::ptrdiff_t>(memory.header().slots_at));
  constexpr int more = 8;  // beyond what lies between the heap and the map
  for (int i = 0; i < more; ++i) {
    words.try_send(word).or_throw();
  }
  for (int i = 0; i < more + 1; ++i) {
    EXPECT_EQ(words.try_receive().or_throw().value, word);
  }
  EXPECT_TRUE(words.try_receive().failed_with(Errc::would_block));
  EXPECT_TRUE(std::equal(behind.begin(), behind.end(),
                         memory.bytes().begin() + static_cast<std::ptrdiff_t>(memory.header().map_at)));
}

// F20 F23
TEST_F(HostileQueue, hints_of_slots_and_words_that_there_are_none_of_are_passed_over) {
  const InMemory<Job> memory(holder_);
  auto jobs = memory.open();
  const auto port = memory.port();
  auto* const hints = reinterpret_cast<std::uint64_t*>(memory.bytes().data() + memory.header().hints_at);
  const auto heap = memory.bytes().subspan(memory.header().heap_at, slots * sizeof(QueueRank));
  std::ranges::fill(heap, std::byte{0x33});
  for (int round = 0; round < 4; ++round) {
    std::fill(hints, hints + 2 * hint_words(slots), ~std::uint64_t{0});
    for (std::size_t i = 0; i < std::tuple_size_v<HintTop>; ++i) {
      port->memory().state().ready[i].store(~std::uint64_t{0});
      port->memory().state().free[i].store(~std::uint64_t{0});
    }
    for (std::uint64_t i = 0; i < slots; ++i) {
      jobs.try_send(numbered<Job>(i)).or_throw();
    }
    EXPECT_TRUE(jobs.try_send(numbered<Job>(0)).failed_with(Errc::would_block));
    if (round == 0) {
      EXPECT_TRUE(std::ranges::all_of(heap, [](std::byte byte) { return byte == std::byte{0x33}; }));
    }
    for (std::uint64_t i = 0; i < slots; ++i) {
      const auto got = jobs.try_receive();
      ASSERT_TRUE(got) << round << " " << i;
      EXPECT_EQ(got->value.number, i);
    }
    EXPECT_TRUE(jobs.try_receive().failed_with(Errc::would_block));
  }
}

// F22
TEST_F(HostileQueue, a_map_of_garbage_costs_room_and_no_more) {
  for (const std::uint64_t value : evil) {
    const InMemory<Slice<std::uint64_t>> memory(holder_);
    auto words = memory.open();
    const auto port = memory.port();
    std::memcpy(memory.bytes().data() + memory.header().map_at, &value, 8);
    for (const std::uint64_t next : evil) {
      port->memory().state().next_block = static_cast<std::uint32_t>(next);
      port->memory().state().free_blocks = static_cast<std::uint32_t>(next);
      use(words);
    }
    EXPECT_TRUE(memory.guard_stands());
  }
}

// F22
TEST_F(HostileQueue, slots_in_no_state_that_there_is_are_left_alone) {
  const InMemory<Slice<std::uint64_t>> memory(holder_);
  auto words = memory.open();
  const auto port = memory.port();
  std::minstd_rand draw(1);
  for (std::uint32_t i = 0; i < slots; ++i) {
    port->memory().slot(i).state.store(std::uint64_t{draw()} << 32U | draw());
  }
  use(words);
  auto later = memory.open();
  use(later);
  EXPECT_TRUE(memory.guard_stands());
}

// F19 F20 F22
TEST_F(HostileQueue, garbage_anywhere_behind_the_header_harms_nobody) {
  std::minstd_rand draw(7);
  for (int round = 0; round < 300; ++round) {
    const InMemory<Slice<std::uint64_t>> memory(holder_);
    {
      auto words = memory.open();
      use(words);
      const std::size_t from = memory.header().members_at;
      for (int i = 0; i < 40; ++i) {
        const std::size_t at = from + draw() % (memory.bytes().size() - from - 8) / 8 * 8;
        const std::uint64_t value = draw() % 2 == 0 ? evil.at(draw() % evil.size()) : draw();
        std::memcpy(memory.bytes().data() + at, &value, 8);
      }
      use(words);
    }
    EXPECT_TRUE(memory.guard_stands());
  }
}

}  // namespace
