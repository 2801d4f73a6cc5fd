// Who makes it, when others may open it, whose it may be, and what limits it.
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/segment_key.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr uid_t stranger = 54323;

void write_number(const std::string& path, std::uint64_t number) {
  std::ofstream file(path);
  file << number << std::flush;
  ASSERT_TRUE(file) << path;
}

void expect_refused(SysvKey key, const std::string& why) {
  for (const auto& opened : {SysvMemory::open(key).transform([](const SysvMemory&) {}),
                             SysvMemory::open_or_create(key, page).transform([](const SysvMemory&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(key.text()));
  }
}

void expect_limit(const Result<SysvMemory>& made, const std::string& name, std::uint64_t value, std::uint64_t wanted,
                  const std::string& remedy) {
  ASSERT_TRUE(made.failed_with(Errc::limit_reached)) << (made ? "it was made" : made.error().message());
  ASSERT_NE(made.error().limit(), nullptr);
  EXPECT_THAT(made.error().limit()->name, HasSubstr(name));
  EXPECT_EQ(made.error().limit()->value, value);
  EXPECT_EQ(made.error().limit()->wanted, wanted);
  EXPECT_THAT(made.error().message(), HasSubstr(remedy));
}

// The documents' shmget(key, size, IPC_CREAT) makes a segment of mode 0000, which nobody may attach.
TEST(SysvMemory, without_bytes_or_without_a_mode_is_refused) {
  const kit::SegmentKey keyed;
  EXPECT_TRUE(SysvMemory::create(keyed.key, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvMemory::create(keyed.key, page, Permissions(0)).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvMemory::create(keyed.key, page, Permissions(0601)).failed_with(Errc::invalid_argument));
  EXPECT_FALSE(keyed.exists());
  EXPECT_TRUE(SysvMemory::open(SysvKey::unshared()).failed_with(Errc::invalid_argument));
}

TEST(SysvMemory, is_opened_when_it_is_initialised_and_not_before) {  // F5
  const kit::Shared<std::atomic<int>> complete;
  constexpr int rounds = 30;
  const kit::SegmentKey keyed[rounds];
  auto race = [&](kit::Stage& stage) {
    for (const kit::SegmentKey& one : keyed) {
      stage.barrier();
      const auto memory = SysvMemory::open_or_create(
          one.key, 16 * page, owner_only, [](MutableBytes bytes) { std::ranges::fill(bytes, std::byte{7}); });
      ASSERT_TRUE(memory) << memory.error().message();
      const Mapping all = memory->attach(Access::read).or_throw();
      *complete += std::ranges::all_of(all.bytes(), [](std::byte b) { return b == std::byte{7}; }) ? 1 : 0;
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}});
  EXPECT_EQ(*complete, 3 * rounds);
}

TEST(SysvMemory, whose_creator_died_half_way_is_stale_and_open_or_create_replaces_it) {  // F5 F6
  const kit::SegmentKey keyed;
  kit::Sides sides({{"creator", [&](kit::Stage& stage) {
                       (void)SysvMemory::create(keyed.key, page, owner_only, [&](MutableBytes bytes) {
                         bytes[0] = std::byte{1};
                         stage.signal("half-way");
                         stage.await("never");
                       });
                     }}});
  sides.stage().await("half-way");
  const auto early = SysvMemory::open_or_create(keyed.key, page);
  ASSERT_TRUE(early.failed_with(Errc::stale));
  EXPECT_THAT(early.error().message(), HasSubstr("its creator is still initialising it"));
  sides.side("creator").kill();
  sides.finish();
  const auto opened = SysvMemory::open(keyed.key);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create replaces it"));
  EXPECT_TRUE(SysvMemory::create(keyed.key, page).failed_with(Errc::already_exists));
  const auto replaced = SysvMemory::open_or_create(keyed.key, page);
  ASSERT_TRUE(replaced) << replaced.error().message();
  EXPECT_EQ(replaced->attach(Access::read).or_throw().data()[0], std::byte{0});
  EXPECT_TRUE(SysvMemory::open(keyed.key));
}

TEST(SysvMemory, that_a_throwing_initialiser_was_to_fill_does_not_stay) {
  const kit::SegmentKey keyed;
  EXPECT_THROW((void)SysvMemory::create(keyed.key, page, owner_only, [](MutableBytes) { throw 1; }), int);
  EXPECT_FALSE(keyed.exists());
}

TEST(SysvMemory, that_exists_keeps_its_size_and_its_permissions) {
  const kit::SegmentKey keyed;
  ASSERT_TRUE(SysvMemory::create(keyed.key, page, Permissions(0640)));
  const auto opened = SysvMemory::open_or_create(keyed.key, 100, owner_only,
                                                 [](MutableBytes) { ADD_FAILURE() << "initialised twice"; });
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size(), page);
  EXPECT_EQ(opened->status().or_throw().mode, 0640U);
  const auto too_small = SysvMemory::open_or_create(keyed.key, 2 * page);
  ASSERT_TRUE(too_small.failed_with(Errc::invalid_argument));
  EXPECT_THAT(too_small.error().message(), HasSubstr("it exists with 4096 bytes, 8192 were asked for"));
}

TEST(SysvMemory, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const kit::SegmentKey keyed;
  const SysvMemory memory = SysvMemory::create(keyed.key, page).or_throw();
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    expect_refused(keyed.key, "it belongs to uid 0, not to uid 54323");
    EXPECT_TRUE(memory.attach(Access::read).failed_with(Errc::permission_denied));
    EXPECT_TRUE(memory.status().failed_with(Errc::permission_denied));
    const auto removed = SysvMemory::remove(memory.id());
    ASSERT_TRUE(removed.failed_with(Errc::permission_denied));
    EXPECT_THAT(removed.error().message(), HasSubstr("it belongs to uid 0, not to uid 54323"));
    EXPECT_TRUE(SysvMemory::open(keyed.key, 0)) << "whoever expects that owner may";
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(keyed.exists());
}

// The creator keeps all rights over what it gives away, so a gift is a trap.
TEST(SysvMemory, that_another_user_made_and_gave_away_is_refused) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const kit::SegmentKey keyed;
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const SysvMemory trap = SysvMemory::create(keyed.key, page, Permissions(0666)).or_throw();
    shmid_ds status{};
    ASSERT_EQ(::shmctl(trap.id(), IPC_STAT, &status), 0);
    status.shm_perm.uid = 0;
    ASSERT_EQ(::shmctl(trap.id(), IPC_SET, &status), 0);
  });
  EXPECT_TRUE(child.finish(never));
  expect_refused(keyed.key, "its creator, uid 54323, not to uid 0");
}

TEST(SysvMemory, whose_mode_allows_reading_alone_is_attached_for_reading_alone) {  // F26
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const SysvMemory memory = SysvMemory::create(SysvKey::unshared(), page, Permissions(0644)).or_throw();
  const RemoveOnExit memory_goes(SysvMemory::remove, memory.id());
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    EXPECT_TRUE(memory.attach(Access::read));
    EXPECT_TRUE(memory.attach(Access::read_write).failed_with(Errc::permission_denied));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(SysvMemory::remove(memory.id()));
}

TEST(SysvMemory, limits_are_named_with_their_figures) {  // F14
  kit::in_private_namespaces([] {
    write_number("/proc/sys/kernel/shmmni", 2);
    EXPECT_TRUE(SysvMemory::create(SysvKey::unshared(), page));
    EXPECT_TRUE(SysvMemory::create(SysvKey::unshared(), page));
    expect_limit(SysvMemory::create(SysvKey::unshared(), page), "SHMMNI", 2, 3, "sysctl -w kernel.shmmni=N");
    write_number("/proc/sys/kernel/shmmni", 4096);

    write_number("/proc/sys/kernel/shmmax", 10 * page);
    expect_limit(SysvMemory::create(SysvKey::unshared(), 10 * page + 1), "SHMMAX", 10 * page, 10 * page + 1,
                 "sysctl -w kernel.shmmax=N");

    write_number("/proc/sys/kernel/shmall", 5);
    expect_limit(SysvMemory::create(SysvKey::unshared(), 4 * page), "SHMALL", 5, 6, "sysctl -w kernel.shmall=N");
    EXPECT_TRUE(SysvMemory::create(SysvKey::unshared(), 3 * page));
  });
}

TEST(SysvMemory, of_huge_pages_that_the_pool_lacks_is_told_how_many) {
  const auto pages = huge_pages();
  if (!pages) {
    GTEST_SKIP() << pages.error().message();
  }
  const std::size_t size = (pages->total + 1) * pages->page;
  if (::geteuid() != 0) {
    const auto denied = SysvMemory::create(SysvKey::unshared(), size, owner_only, {}, Pages::huge);
    EXPECT_FALSE(denied);
    return;
  }
  expect_limit(SysvMemory::create(SysvKey::unshared(), size, owner_only, {}, Pages::huge), "huge pages", pages->free,
               pages->total + 1, "sysctl -w vm.nr_hugepages=");
  EXPECT_TRUE(
      SysvMemory::create(SysvKey::unshared(), page, owner_only, {}, Pages::huge).failed_with(Errc::invalid_argument));
}

}  // namespace
