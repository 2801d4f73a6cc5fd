// Who makes it, when others see it, and what a creator leaves that does not come to its end.
#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <kit/leak_check.hpp>
#include <kit/memory_group.hpp>
#include <kit/named_path.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;

// Nobody sees it before it holds what it shall hold, and it is initialised once.
TEST(PosixMemory, is_seen_complete_or_not_at_all) {  // F7
  constexpr std::size_t size = 64 * page;
  const kit::Shared<std::atomic<int>> times;
  const std::string stem = "/" + kit::unique_name("complete");
  constexpr int rounds = 30;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      const std::string name = stem + "-" + std::to_string(round);
      stage.barrier();
      const auto memory = PosixMemory::open_or_create(name, size, owner_only, [&](MutableBytes bytes) {
        EXPECT_FALSE(PosixMemory::open(name, Access::read).failed_with(Errc::stale));
        std::ranges::fill(bytes, std::byte{7});
      });
      const Mapping all = memory ? memory->map(Access::read).or_throw() : throw Failure(memory.error());
      EXPECT_EQ(all.size(), size);
      *times += std::ranges::all_of(all.bytes(), [](std::byte b) { return b == std::byte{7}; }) ? 1 : 0;
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}});
  EXPECT_EQ(*times, 3 * rounds);
  for (int round = 0; round < rounds; ++round) {
    EXPECT_TRUE(PosixMemory::unlink(stem + "-" + std::to_string(round)));
  }
}

// F6
TEST(PosixMemory, of_a_creator_that_is_killed_half_way_leaves_nothing) {
  const kit::SharedName named;
  kit::Sides sides({{"creator", [&](kit::Stage& stage) {
                       (void)PosixMemory::create(named.name, page, owner_only, [&](MutableBytes) {
                         stage.signal("half-way");
                         stage.await("never");
                       });
                     }}});
  sides.stage().await("half-way");
  EXPECT_FALSE(named.exists());
  sides.side("creator").kill();
  sides.finish();
  EXPECT_FALSE(named.exists());
  EXPECT_TRUE(PosixMemory::create(named.name, page));
}

TEST(PosixMemory, that_cannot_be_prepared_is_not_made_and_says_why) {
  const kit::LeakCheck leaks;
  const kit::SharedName named;
  const auto refused = PosixMemory::create_prepared(named.name, page, owner_only, [&](FdView file) {
    EXPECT_EQ(Mapping::of_file(file, page, Access::read).or_throw().size(), page);
    EXPECT_FALSE(named.exists());
    return Result<void>(fail(Error(Errc::limit_reached, "mlock")));
  });
  EXPECT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_FALSE(named.exists());
}

TEST(PosixMemory, that_a_throwing_initialiser_was_to_fill_is_not_made) {
  const kit::LeakCheck check;
  const kit::SharedName named;
  EXPECT_THROW((void)PosixMemory::create(named.name, page, owner_only, [](MutableBytes) { throw 1; }), int);
  EXPECT_FALSE(named.exists());
}

// As another program leaves it that dies between shm_open and ftruncate.
TEST(PosixMemory, without_length_is_stale_and_open_or_create_replaces_it) {  // F5 F6
  const kit::SharedName named;
  ::close(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600));
  const auto opened = PosixMemory::open(named.name, Access::read);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create replaces it"));
  EXPECT_TRUE(PosixMemory::create(named.name, page).failed_with(Errc::already_exists));
  const auto replaced = PosixMemory::open_or_create(named.name, page, Permissions(0640));
  ASSERT_TRUE(replaced) << replaced.error().message();
  EXPECT_EQ(replaced->size().or_throw(), page);
  EXPECT_EQ(kit::mode_of(named.path), 0640U);
}

TEST(PosixMemory, without_length_is_replaced_once_by_many_who_come_at_once) {  // F5
  const kit::SharedName named;
  ::close(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600));
  const kit::Shared<std::atomic<int>> times;
  auto come = [&](kit::Stage& stage) {
    stage.barrier();
    const auto memory = PosixMemory::open_or_create(named.name, page, owner_only, [&](MutableBytes) { ++*times; });
    ASSERT_TRUE(memory) << memory.error().message();
    const Mapping all = memory->map(Access::read_write).or_throw();
    // All are in the same memory: each adds one to it.
    ++*reinterpret_cast<std::atomic<int>*>(all.data());
  };
  kit::run_sides({{"a", come}, {"b", come}, {"c", come}, {"d", come}});
  EXPECT_GE(*times, 1);
  const Mapping all = PosixMemory::open(named.name, Access::read).or_throw().map(Access::read).or_throw();
  EXPECT_EQ(*reinterpret_cast<const std::atomic<int>*>(all.data()), 4);
}

TEST(PosixMemory, opens_once_its_creator_has_given_it_a_length) {
  const kit::SharedName named;
  const Fd made = fd_from(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600), "shm_open").or_throw();
  std::thread creator([&] { EXPECT_EQ(::ftruncate(made.raw(), page), 0); });
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read));
  creator.join();
}

TEST(PosixMemory, that_exists_keeps_its_size_and_its_permissions) {
  const kit::SharedName named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0640)));
  const auto opened = PosixMemory::open_or_create(named.name, 100, owner_only,
                                                  [](MutableBytes) { ADD_FAILURE() << "initialised twice"; });
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size().or_throw(), page);
  EXPECT_EQ(kit::mode_of(named.path), 0640U);
  const auto too_small = PosixMemory::open_or_create(named.name, 2 * page);
  ASSERT_TRUE(too_small.failed_with(Errc::invalid_argument));
  EXPECT_THAT(too_small.error().message(), HasSubstr("it exists with 4096 bytes, 8192 were asked for"));
}

TEST(PosixMemory, in_a_full_dev_shm_is_an_error_at_creation_and_never_a_signal_later) {  // F14 F15
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=1m,mode=1777"), 0);
    {
      const auto refused = PosixMemory::create("/large", std::size_t{2} << 20);
      ASSERT_TRUE(refused.failed_with(Errc::no_space));
      EXPECT_THAT(refused.error().message(),
                  HasSubstr("free space in /dev/shm is 1048576, 2097152 wanted; remove what nobody needs, or enlarge "
                            "it with: mount -o remount,size=N /dev/shm"));
      EXPECT_TRUE(PosixMemory::open_or_create("/large", std::size_t{2} << 20).failed_with(Errc::no_space));
      EXPECT_TRUE(kit::names_in("/dev/shm").empty());

      const PosixMemory most = PosixMemory::create("/most", (std::size_t{1} << 20) - page).or_throw();
      const PosixMemory rest = PosixMemory::create("/rest", page).or_throw();
      EXPECT_TRUE(PosixMemory::create("/more", 1).failed_with(Errc::no_space));
      auto grown = PosixMemory::open("/rest", Access::read_write).or_throw();
      EXPECT_TRUE(grown.resize(2 * page).failed_with(Errc::no_space));
      EXPECT_EQ(rest.size().or_throw(), page);
      std::ranges::fill(most.map(Access::read_write).or_throw().bytes(), std::byte{1});
      std::ranges::fill(rest.map(Access::read_write).or_throw().bytes(), std::byte{1});
      EXPECT_EQ(kit::names_in("/dev/shm").size(), 2U);
    }
    ASSERT_EQ(::umount("/dev/shm"), 0);
  });
}

// F16: past the limit of its control group a process is killed in the very call that asks for memory.
TEST(PosixMemory, whose_creator_its_control_group_kills_leaves_nothing) {
  constexpr std::size_t limit = std::size_t{32} << 20;
  const kit::MemoryGroup group(limit);
  if (!group.why_not().empty()) {
    GTEST_SKIP() << group.why_not();
  }
  const kit::SharedName named;
  const kit::SharedName other;
  const PosixMemory before = PosixMemory::create(other.name, page).or_throw();
  Child creator = spawn([&] {
                    group.join();
                    return PosixMemory::create(named.name, 4 * limit) ? 0 : 1;
                  }).or_throw();
  EXPECT_EQ(creator.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  EXPECT_FALSE(named.exists());
  EXPECT_TRUE(PosixMemory::create(named.name, page));
  EXPECT_TRUE(before.still_has(page));
}

TEST(PosixMemory, without_proc_is_not_supported_and_leaves_nothing_behind) {
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const auto created = PosixMemory::create("/memory", page);
    EXPECT_TRUE(created.failed_with(Errc::not_supported));
    EXPECT_THAT(created.error().message(), HasSubstr("/proc is not mounted"));
    EXPECT_TRUE(kit::names_in("/dev/shm").empty());
    ASSERT_EQ(::umount("/proc"), 0);
  });
}

}  // namespace
