#include <tenon/channel/slot_ring.hpp>

#include <kit/patience.hpp>
#include <kit/shared.hpp>
#include <kit/traced_process.hpp>
#include <kit/two_processes.hpp>
#include <tenon/os/mapping.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t slots = 4;
constexpr std::size_t frame_bytes = 200;  // no multiple of a cache line
constexpr Token alice = Token::from(0xa11ce);
constexpr Token bob = Token::from(0xb0b);

struct Memory {
  Memory() { SlotRing::initialise(mapping.bytes(), slots, frame_bytes); }
  SlotRing open() const { return SlotRing::open(mapping.bytes()).or_throw(); }
  SlotHeader& slot(std::size_t index) const {
    return *reinterpret_cast<SlotHeader*>(mapping.data() + 4096 + index * (64 + 256));
  }
  SlotRingHeader& header() const { return *reinterpret_cast<SlotRingHeader*>(mapping.data()); }
  Mapping mapping = Mapping::shared_with_children(SlotRing::bytes_for(slots, frame_bytes)).or_throw();
};

std::string taken(SlotRing& ring) {
  std::array<std::byte, frame_bytes> frame;
  auto size = ring.take(frame);
  return size ? std::string(text_of(Bytes(frame).first(*size))) : std::string(name_of(size.error().code()));
}

TEST(SlotRing, gives_out_what_was_put_in_oldest_first) {
  const Memory memory;
  SlotRing sender = memory.open();
  SlotRing other = memory.open();
  SlotRing receiver = memory.open();
  EXPECT_EQ(taken(receiver), "would_block");
  EXPECT_TRUE(sender.put(alice, bytes_of("first")));
  EXPECT_TRUE(other.put(bob, bytes_of("second")));
  EXPECT_TRUE(sender.put(alice, bytes_of(std::string(frame_bytes, 'x'))));
  EXPECT_TRUE(other.put(bob, Bytes()));
  EXPECT_EQ(taken(receiver), "first");
  EXPECT_EQ(taken(receiver), "second");
  EXPECT_TRUE(sender.put(alice, bytes_of("third")));
  EXPECT_EQ(taken(receiver), std::string(frame_bytes, 'x'));
  EXPECT_EQ(taken(receiver), "");
  EXPECT_EQ(taken(receiver), "third");
  EXPECT_EQ(taken(receiver), "would_block");
}

TEST(SlotRing, has_room_for_so_many_and_no_more) {
  const Memory memory;
  SlotRing ring = memory.open();
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    EXPECT_TRUE(ring.put(alice, bytes_of("x")));
  }
  EXPECT_FALSE(ring.put(alice, bytes_of("one more")));
  EXPECT_EQ(taken(ring), "x");
  EXPECT_TRUE(ring.put(alice, bytes_of("one more")));
}

struct Numbered {
  std::uint64_t sender;
  std::uint64_t number;
  std::array<std::uint64_t, 20> body;
};
static_assert(sizeof(Numbered) <= frame_bytes);

TEST(SlotRing, keeps_each_senders_order_and_every_byte_among_many_at_once) {
  constexpr std::uint64_t frames = 3000;
  constexpr std::uint64_t senders = 3;
  const Memory memory;
  std::vector<kit::Side> sides;
  for (std::uint64_t sender = 1; sender <= senders; ++sender) {
    sides.push_back({"sender", [&, sender](kit::Stage& stage) {
                       SlotRing ring = memory.open();
                       stage.barrier();
                       for (std::uint64_t number = 0; number < frames; ++number) {
                         Numbered frame{.sender = sender, .number = number, .body = {}};
                         frame.body.fill(sender * frames + number);
                         while (!ring.put(Token::from(sender), bytes_of_value(frame))) {
                           std::this_thread::yield();
                         }
                       }
                     }});
  }
  sides.push_back({"receiver", [&](kit::Stage& stage) {
                     SlotRing ring = memory.open();
                     stage.barrier();
                     std::map<std::uint64_t, std::uint64_t> next;
                     for (std::uint64_t got = 0; got < senders * frames;) {
                       std::array<std::byte, frame_bytes> bytes;
                       const auto size = ring.take(bytes);
                       if (!size) {
                         std::this_thread::yield();
                         continue;
                       }
                       ASSERT_EQ(*size, sizeof(Numbered));
                       Numbered frame{};
                       std::memcpy(&frame, bytes.data(), sizeof frame);
                       ASSERT_EQ(frame.number, next[frame.sender]++);
                       for (const std::uint64_t word : frame.body) {
                         ASSERT_EQ(word, frame.sender * frames + frame.number);
                       }
                       ++got;
                     }
                   }});
  kit::run_sides(std::move(sides));
}

// What a sender leaves that is killed between claiming a slot and setting its ticket.
TEST(SlotRing, gives_back_what_a_dead_sender_had_claimed) {
  const Memory memory;
  SlotRing ring = memory.open();
  memory.slot(0).owner = alice.value();
  memory.slot(2).owner = alice.value();
  memory.slot(3).owner = bob.value();
  EXPECT_THAT(ring.unfinished(), ElementsAre(alice, alice, bob));
  EXPECT_TRUE(ring.put(alice, bytes_of("whole")));
  EXPECT_FALSE(ring.put(alice, bytes_of("no room")));
  EXPECT_EQ(ring.reclaim(alice), 2U);
  EXPECT_THAT(ring.unfinished(), ElementsAre(bob)) << "another's slot is another's";
  EXPECT_EQ(taken(ring), "whole") << "what was whole before the death is not lost";
  EXPECT_EQ(ring.reclaim(alice), 0U);
}

TEST(SlotRing, refuses_a_frame_longer_than_a_slot_and_goes_on) {  // F20
  const Memory memory;
  SlotRing ring = memory.open();
  EXPECT_TRUE(ring.put(alice, bytes_of("bad")));
  memory.slot(0).length = frame_bytes + 1;
  EXPECT_TRUE(ring.put(alice, bytes_of("good")));
  EXPECT_EQ(taken(ring), "corrupt");
  EXPECT_EQ(taken(ring), "good");
  EXPECT_THAT(ring.unfinished(), IsEmpty());
}

TEST(SlotRing, takes_no_ones_word_for_its_size) {  // F20
  const Memory memory;
  SlotRing before = memory.open();
  memory.header().slots = slots + 1;
  EXPECT_TRUE(SlotRing::open(memory.mapping.bytes()).failed_with(Errc::corrupt));
  memory.header().slots = UINT32_MAX;
  memory.header().frame_bytes = UINT64_MAX;
  EXPECT_TRUE(SlotRing::open(memory.mapping.bytes()).failed_with(Errc::corrupt));
  EXPECT_EQ(taken(before), "would_block") << "what was checked once does not change";
}

// Steps through `operation` while somebody else writes the memory between any two instructions: good or bad values, in
// the pattern of one bit of the step's number or its opposite. So for any two instructions there is a run in which what
// the first reads is good and what the second reads is bad.
void between_instructions(const std::function<void(bool)>& make_bad, const std::function<void()>& operation,
                          const std::function<void()>& check) {
  std::size_t steps = 1;
  for (unsigned bit = 0; (std::size_t{1} << bit) <= steps; ++bit) {
    for (const std::size_t opposite : {0U, 1U}) {
      kit::TracedProcess process([] {}, operation);
      std::size_t step = 0;
      while (process.state() == kit::TracedProcess::State::stopped) {
        make_bad((((step++ >> bit) ^ opposite) & 1U) != 0);
        process.step();
      }
      ASSERT_EQ(process.state(), kit::TracedProcess::State::finished);
      steps = std::max(steps, step);
      make_bad(false);
      check();
    }
  }
}

TEST(SlotRing, takes_a_length_that_it_has_checked_and_none_that_came_after) {  // F21
  if (kit::sanitizer() != kit::Sanitizer::none) {
    GTEST_SKIP() << "stops between any two instructions, of which a sanitizer adds too many";
  }
  const Memory memory;
  SlotRing ring = memory.open();
  const auto put = [&] {
    memory.slot(0).ticket = 0;
    memory.slot(0).owner = 0;
    SlotRing sender = memory.open();
    EXPECT_TRUE(sender.put(alice, bytes_of("12345")));
  };
  put();
  struct Seen {
    std::size_t size;
    bool corrupt;
  };
  const kit::Shared<Seen> seen;
  int whole = 0;
  between_instructions([&](bool bad) { memory.slot(0).length = bad ? frame_bytes + 1 : 5; },
                       [&] {
                         std::array<std::byte, 2 * frame_bytes> room;
                         const auto size = ring.take(MutableBytes(room).first(frame_bytes));
                         *seen = {.size = size.value_or(0), .corrupt = size.failed_with(Errc::corrupt)};
                       },
                       [&] {
                         EXPECT_TRUE(seen->size == 5 || seen->corrupt) << "took " << seen->size << " bytes";
                         whole += seen->size == 5 ? 1 : 0;
                         put();
                       });
  EXPECT_GT(whole, 0) << "else nothing was tried";
}

TEST(SlotRing, is_as_large_as_what_it_has_checked) {  // F21
  if (kit::sanitizer() != kit::Sanitizer::none) {
    GTEST_SKIP() << "stops between any two instructions, of which a sanitizer adds too many";
  }
  const Memory memory;
  struct Seen {
    std::uint32_t slots;
    std::size_t frame_bytes;
  };
  const kit::Shared<Seen> seen;
  int opened = 0;
  const auto open = [&] {
    const auto ring = SlotRing::open(memory.mapping.bytes());
    *seen = ring ? Seen{.slots = ring->slots(), .frame_bytes = ring->frame_bytes()} : Seen{};
  };
  const auto check = [&] {
    EXPECT_LE(SlotRing::bytes_for(seen->slots, seen->frame_bytes), memory.mapping.bytes().size());
    opened += seen->slots != 0 ? 1 : 0;
  };
  SlotRingHeader& header = memory.header();
  between_instructions([&](bool bad) { std::atomic_ref(header.slots).store(bad ? 1000 : slots); }, open, check);
  between_instructions([&](bool bad) { std::atomic_ref(header.frame_bytes).store(bad ? 1 << 20 : frame_bytes); }, open,
                       check);
  EXPECT_GT(opened, 0) << "else nothing was tried";
}

TEST(SlotRing, keeps_its_order_when_its_tickets_wrap) {  // F50
  for (const std::uint64_t first : {UINT64_MAX - 2, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX / 2 - 1}) {
    const Memory memory;
    memory.header().tickets = first;
    SlotRing sender = memory.open();
    SlotRing receiver = memory.open();
    char next = 'a';
    const auto put = [&] { EXPECT_TRUE(sender.put(alice, bytes_of(std::string(1, next++)))); };
    put();
    put();
    put();
    for (char expected = 'a'; expected < 'i'; ++expected) {
      put();
      EXPECT_EQ(taken(receiver), std::string(1, expected)) << "from " << first;
    }
    EXPECT_THAT(receiver.unfinished(), IsEmpty()) << "0 is no ticket";
  }
}

// Whoever draws a ticket may stand still before it sets it, and a later one be taken meanwhile.
TEST(SlotRing, takes_one_from_before_the_wrap_first_though_it_came_late) {  // F50
  const Memory memory;
  memory.header().tickets = UINT64_MAX;
  SlotRing receiver = memory.open();
  SlotRing other = memory.open();
  EXPECT_TRUE(other.put(bob, bytes_of("1")));
  EXPECT_EQ(taken(receiver), "1");
  EXPECT_TRUE(other.put(bob, bytes_of("2")));
  EXPECT_TRUE(other.put(alice, bytes_of("late")));
  memory.slot(2).ticket = UINT64_MAX - 1;
  EXPECT_EQ(taken(receiver), "late");
  EXPECT_EQ(taken(receiver), "2");
}

TEST(SlotRing, refuses_memory_that_is_none_or_of_another_version) {  // F27
  const Memory memory;
  memory.header().version = 2;
  const auto newer = SlotRing::open(memory.mapping.bytes());
  ASSERT_TRUE(newer.failed_with(Errc::version_mismatch));
  EXPECT_THAT(newer.error().message(), HasSubstr("version 2, this program 1"));
  memory.header().magic = 0;
  EXPECT_TRUE(SlotRing::open(memory.mapping.bytes()).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(SlotRing::open(memory.mapping.bytes().first(100)).failed_with(Errc::wrong_kind));
}

}  // namespace
