// Queues as their files tell of them, written here byte by byte: what a program makes of them itself is looked at by
// the tests of `tenon ls queues`.
#include <tenon/base/bytes.hpp>
#include <tenon/inspect/patterns/queues.hpp>
#include <tenon/memory/type_record_layout.hpp>
#include <tenon/messaging/queue/queue_layout.hpp>
#include <tenon/os/life.hpp>

#include <kit/unique.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t slots = 3;
constexpr std::uint32_t members = 2;
constexpr std::uint64_t members_at = (queue_type_at + sizeof(TypeRecord) + 63) / 64 * 64;
constexpr std::uint64_t heap_at = members_at + members * sizeof(QueueMember);
constexpr std::uint64_t slots_at = heap_at + 64;
constexpr std::uint64_t slot_bytes = slot_bytes_at + 64;
constexpr std::uint64_t file_bytes = slots_at + slots * slot_bytes;

constexpr QueueHeader whole() {
  return {.magic = queue_magic,
          .layout_version = queue_layout_version,
          .mode = 0,
          .bytes = file_bytes,
          .made_by = 1,
          .id = 2,
          .domain_device = 0,
          .domain_inode = 0,
          .type_at = queue_type_at,
          .type_bytes = sizeof(TypeRecord),
          .members_at = members_at,
          .hints_at = heap_at,
          .heap_at = heap_at,
          .map_at = heap_at,
          .slots_at = slots_at,
          .arena_at = file_bytes,
          .slot_bytes = slot_bytes,
          .short_bytes = 24,
          .block_bytes = 64,
          .slots = slots,
          .members = members,
          .blocks = 0,
          .reserved = 0,
          .reserved_too = {}};
}

/// A queue with that header, of three slots: one message waits, one is taken by the first member, one is free.
class InspectQueues : public testing::Test {
 protected:
  InspectQueues() : bytes_(file_bytes) {
    unique_.directory().allow_leftovers();
    put(0, whole());
    put(queue_type_at + offsetof(TypeRecord, size), std::uint64_t{24});
    put(queue_type_at + offsetof(TypeRecord, name), std::uint16_t{3});
    std::memcpy(bytes_.data() + queue_type_at + offsetof(TypeRecord, name) + 2, "Job", 3);
    put(queue_state_at + offsetof(QueueState, arrived), std::uint32_t{7});
    put(queue_state_at + offsetof(QueueState, next_seq), std::uint64_t{19});
    put(members_at, life_.token().value());
    put(members_at + sizeof(QueueMember), std::uint64_t{12345});
    put(slots_at, SlotState{.phase = SlotPhase::ready, .member = 1, .use = 5}.word());
    put(slots_at + slot_bytes, SlotState{.phase = SlotPhase::taken, .member = 0, .use = 9}.word());
  }

  template <class T>
  void put(std::uint64_t at, const T& value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  inspect::Queues look() {
    std::ofstream(unique_.path() + "/queue.jobs", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
    return inspect::queues(unique_.path()).or_throw();
  }

  kit::UniqueDomain unique_;
  const Life life_ = Life::join(unique_.domain()).or_throw();
  std::vector<std::byte> bytes_;
};

TEST_F(InspectQueues, tell_what_waits_what_is_taken_and_by_whom) {
  const auto seen = look();
  EXPECT_THAT(seen.unseen, IsEmpty());
  ASSERT_THAT(seen.queues, SizeIs(1));
  const inspect::QueueSeen& queue = seen.queues[0];
  EXPECT_EQ(queue.name, "jobs");
  EXPECT_EQ(queue.type, "Job");
  EXPECT_EQ(queue.type_bytes, 24U);
  EXPECT_FALSE(queue.any_length);
  EXPECT_EQ(queue.waiting, 1U);
  EXPECT_EQ(queue.taken, 1U);
  EXPECT_EQ(queue.being_sent, 0U);
  EXPECT_EQ(queue.most_messages, slots);
  EXPECT_EQ(queue.sent, 19U);
  EXPECT_GT(queue.oldest_waits, 0);
  EXPECT_TRUE(queue.receivers_sleep);
  EXPECT_FALSE(queue.senders_sleep);
  ASSERT_THAT(queue.members, SizeIs(2));
  EXPECT_TRUE(queue.members[0].alive);
  EXPECT_EQ(queue.members[0].pid, ::getpid());
  EXPECT_EQ(queue.members[0].taken, 1U);
  EXPECT_FALSE(queue.members[1].alive);
  EXPECT_EQ(queue.members[1].pid, 0);
}

// What stands behind the header of another mode is none of ours, though it may look so.
TEST_F(InspectQueues, refuse_a_mode_that_they_do_not_know) {
  put(offsetof(QueueHeader, mode), std::uint32_t{1});
  const auto seen = look();
  EXPECT_THAT(seen.queues, IsEmpty());
  EXPECT_THAT(seen.unseen, ElementsAre(HasSubstr("mode 1")));
}

// F22
TEST_F(InspectQueues, name_what_is_no_queue_and_go_on) {
  std::ofstream(unique_.path() + "/queue.a") << "text";
  std::ofstream(unique_.path() + "/queue.b", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes_.data()), file_bytes - 1);
  std::filesystem::create_directory(unique_.path() + "/queue.c");
  std::filesystem::create_symlink("queue.jobs", unique_.path() + "/queue.d");
  const auto seen = look();
  EXPECT_THAT(seen.queues, SizeIs(1));
  EXPECT_THAT(seen.unseen, ElementsAre(HasSubstr("queue.a"), HasSubstr("does not fit"), HasSubstr("no regular file"),
                                       HasSubstr("queue.d")));
}

// F22: whatever stands in the files, there is an answer.
TEST_F(InspectQueues, survive_whatever_stands_in_their_files) {
  std::mt19937 random(7);
  const std::vector<std::byte> sound = bytes_;
  for (int round = 0; round < 2000; ++round) {
    bytes_ = sound;
    for (std::uint32_t changes = random() % 8 + 1; changes != 0; --changes) {
      bytes_[random() % (round % 2 == 0 ? sizeof(QueueHeader) : bytes_.size())] = static_cast<std::byte>(random());
    }
    const auto seen = look();
    ASSERT_EQ(seen.queues.size() + seen.unseen.size(), 1U) << "round " << round;
  }
}

TEST(InspectNoQueues, are_told_of_a_domain_that_is_not_there) {
  EXPECT_TRUE(inspect::queues("/nowhere/at/all").failed_with(Errc::not_found));
}

}  // namespace
