#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <kit/mapped_text.hpp>
#include <kit/reported_child.hpp>
#include <kit/segment_key.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

namespace {

using namespace tenon;

constexpr std::size_t page = 4096;

TEST(SysvMemory, carries_bytes_between_processes_that_share_only_the_key) {
  const kit::SegmentKey keyed;
  kit::run_sides({{"writer",
                   [&](kit::Stage& stage) {
                     const SysvMemory memory = SysvMemory::create(keyed.key, page).or_throw();
                     kit::put_text(memory.attach(Access::read_write).or_throw(), "Hello");
                     stage.signal("written");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("written");
                     const SysvMemory memory = SysvMemory::open(keyed.key).or_throw();
                     EXPECT_EQ(memory.size(), page);
                     EXPECT_EQ(kit::text_at(memory.attach(Access::read).or_throw(), 5), "Hello");
                   }}});
}

TEST(SysvMemory, counts_who_is_attached_and_tells_who_was_last) {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  EXPECT_EQ(memory.status().or_throw().attached, 0U);
  EXPECT_EQ(memory.status().or_throw().attached_at, 0);
  {
    const Mapping one = memory.attach(Access::read_write).or_throw();
    const Mapping other = memory.attach(Access::read).or_throw();
    EXPECT_EQ(memory.status().or_throw().attached, 2U);
    Child child = spawn([&] { return memory.attach(Access::read) ? 0 : 1; }).or_throw();
    EXPECT_TRUE(child.wait(never).or_throw().success());
    EXPECT_EQ(memory.status().or_throw().attached, 2U) << "the child's copies went with it";
  }
  const SysvMemoryStatus status = memory.status().or_throw();
  EXPECT_EQ(status.attached, 0U);
  EXPECT_EQ(status.size, page);
  EXPECT_EQ(status.made_by, ::getpid());
  EXPECT_EQ(status.last_used_by, ::getpid());
  EXPECT_EQ(status.owner, ::geteuid());
  EXPECT_GT(status.detached_at, 0);
  EXPECT_FALSE(status.marked_for_removal);
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
}

// The mark hides the key at once; the memory goes with the last who has it attached.
TEST(SysvMemory, marked_for_removal_has_no_key_and_goes_with_its_last_map) {
  const kit::SegmentKey keyed;
  const SysvMemory memory = SysvMemory::create(keyed.key, page).or_throw();
  {
    const Mapping all = memory.attach(Access::read_write).or_throw();
    ASSERT_TRUE(SysvMemory::unlink(keyed.key));
    EXPECT_TRUE(SysvMemory::open(keyed.key).failed_with(Errc::not_found));
    EXPECT_TRUE(memory.status().or_throw().marked_for_removal);
    kit::put_text(all, "still");
    EXPECT_EQ(kit::text_at(memory.attach(Access::read).or_throw(), 5), "still") << "Linux lets the identifier attach";
    const SysvMemory next = SysvMemory::create(keyed.key, page).or_throw();
    EXPECT_NE(next.id(), memory.id());
    EXPECT_NE(kit::text_at(next.attach(Access::read).or_throw(), 5), "still");
  }
  EXPECT_TRUE(memory.attach(Access::read).failed_with(Errc::not_found));
  EXPECT_TRUE(memory.status().failed_with(Errc::not_found));
  EXPECT_TRUE(SysvMemory::remove(memory.id()).failed_with(Errc::not_found));
  EXPECT_TRUE(SysvMemory::adopt(memory.id()).failed_with(Errc::not_found));
  EXPECT_TRUE(SysvMemory::unlink(keyed.key));
  EXPECT_TRUE(SysvMemory::unlink(keyed.key).failed_with(Errc::not_found));
}

TEST(SysvMemory, marked_once_attached_leaves_nothing_when_all_are_killed) {
  const kit::Shared<std::atomic<int>> id;
  kit::Sides sides({{"owner", [&](kit::Stage& stage) {
                       const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
                       const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
                       const Mapping all = memory.attach(Access::read_write).or_throw();
                       ASSERT_TRUE(SysvMemory::remove(memory.id()));
                       *id = memory.id();
                       stage.signal("attached");
                       stage.await("never");
                     }}});
  sides.stage().await("attached");
  EXPECT_TRUE(SysvMemory::adopt(*id));
  sides.side("owner").kill();
  sides.finish();
  EXPECT_TRUE(SysvMemory::adopt(*id).failed_with(Errc::not_found));
}

TEST(SysvMemory, is_reached_by_its_identifier_too) {
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), 100).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  kit::put_text(memory.attach(Access::read_write).or_throw(), "by number");
  const SysvMemory adopted = SysvMemory::adopt(memory.id()).or_throw();
  EXPECT_EQ(adopted.size(), 100U);
  EXPECT_EQ(kit::text_at(adopted.attach(Access::read).or_throw(), 9), "by number");
  EXPECT_EQ(adopted.attach(Access::read).or_throw().bytes().size(), 100U);
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
  EXPECT_TRUE(SysvMemory::adopt(-1).failed_with(Errc::not_found));
}

TEST(SysvMemory, written_through_a_read_only_map_ends_the_writer_alone) {  // F25
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  const Mapping all = memory.attach(Access::read).or_throw();
  ASSERT_TRUE(SysvMemory::remove(memory.id()));
  auto child = spawn([&] {
                 const rlimit no_core{};
                 ::setrlimit(RLIMIT_CORE, &no_core);
                 ::signal(SIGSEGV, SIG_DFL);
                 *const_cast<volatile std::byte*>(all.data()) = std::byte{1};
                 return 0;
               }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGSEGV));
  EXPECT_EQ(all.data()[0], std::byte{0});
}

TEST(SysvMemory, stands_elsewhere_in_each_map) {  // F33
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), 2 * page).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  const Mapping here = memory.attach(Access::read_write).or_throw();
  const Mapping there = memory.attach(Access::read).or_throw();
  ASSERT_TRUE(SysvMemory::remove(memory.id()));
  EXPECT_NE(here.data(), there.data());
  std::memcpy(here.data() + page, "found", 5);
  EXPECT_EQ(std::memcmp(there.data() + page, "found", 5), 0);
}

TEST(SysvMemory, works_in_a_forked_child) {  // F35
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  const Mapping all = memory.attach(Access::read_write).or_throw();
  kit::ReportedChild child("child", [&] {
    kit::put_text(all, "inherited");
    EXPECT_EQ(memory.status().or_throw().attached, 2U);
    EXPECT_TRUE(memory.attach(Access::read));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(kit::text_at(all, 9), "inherited");
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
}

TEST(SysvMemory, is_detached_by_a_program_that_is_executed) {  // F36
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  {
    const Mapping all = memory.attach(Access::read_write).or_throw();
    Child program = spawn_program("sh", {"-c", "! grep -q SYSV /proc/self/maps"}).or_throw();
    EXPECT_TRUE(program.wait(never).or_throw().success());
    EXPECT_EQ(memory.status().or_throw().attached, 1U);
  }
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
}

TEST(SysvMemory, of_huge_pages_is_memory_like_any_other) {
  const auto pages = huge_pages();
  if (!pages || pages->free == 0 || ::geteuid() != 0) {
    GTEST_SKIP() << "needs root and a huge page: sysctl -w vm.nr_hugepages=1";
  }
  const SysvMemory memory =
      SysvMemory::create(SysvKey::unshared(), pages->page, owner_only, {}, Pages::huge).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  {
    const Mapping all = memory.attach(Access::read_write).or_throw();
    std::ranges::fill(all.bytes(), std::byte{1});
    EXPECT_EQ(memory.status().or_throw().attached, 1U);
  }
  EXPECT_EQ(memory.status().or_throw().attached, 0U) << "detaching did not work";
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
}

}  // namespace
