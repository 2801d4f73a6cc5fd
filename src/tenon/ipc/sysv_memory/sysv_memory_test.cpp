#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <kit/mapped_text.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr uid_t stranger = 54323;

// A key that nobody else has, and nothing left at it in the end.
struct Keyed {
  Keyed() = default;
  ~Keyed() {
    const int id = ::shmget(key.value(), 0, 0);
    if (id != -1) {
      ::shmctl(id, IPC_RMID, nullptr);
    }
  }
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;
  bool exists() const { return ::shmget(key.value(), 0, 0) != -1; }
  SysvKey key = kit::unique_key();
};

void write_number(const std::string& path, std::uint64_t number) {
  std::ofstream file(path);
  file << number << std::flush;
  ASSERT_TRUE(file) << path;
}

TEST(SysvMemory, carries_bytes_between_processes_that_share_only_the_key) {
  const Keyed keyed;
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

// The documents' shmget(key, size, IPC_CREAT) makes a segment of mode 0000, which nobody may attach.
TEST(SysvMemory, without_bytes_or_without_a_mode_is_refused) {
  const Keyed keyed;
  EXPECT_TRUE(SysvMemory::create(keyed.key, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvMemory::create(keyed.key, page, Permissions(0)).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(SysvMemory::create(keyed.key, page, Permissions(0601)).failed_with(Errc::invalid_argument));
  EXPECT_FALSE(keyed.exists());
  EXPECT_TRUE(SysvMemory::open(SysvKey::unshared()).failed_with(Errc::invalid_argument));
}

TEST(SysvMemory, is_opened_when_it_is_initialised_and_not_before) {  // F5
  const kit::Shared<std::atomic<int>> complete;
  constexpr int rounds = 30;
  const Keyed keyed[rounds];
  auto race = [&](kit::Stage& stage) {
    for (const Keyed& one : keyed) {
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
  const Keyed keyed;
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
  const Keyed keyed;
  EXPECT_THROW((void)SysvMemory::create(keyed.key, page, owner_only, [](MutableBytes) { throw 1; }), int);
  EXPECT_FALSE(keyed.exists());
}

TEST(SysvMemory, that_exists_keeps_its_size_and_its_permissions) {
  const Keyed keyed;
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

void expect_refused(SysvKey key, const std::string& why) {
  for (const auto& opened : {SysvMemory::open(key).transform([](const SysvMemory&) {}),
                             SysvMemory::open_or_create(key, page).transform([](const SysvMemory&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied));
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(key.text()));
  }
}

TEST(SysvMemory, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const Keyed keyed;
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
  const Keyed keyed;
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
  const Keyed keyed;
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

void expect_limit(const Result<SysvMemory>& made, const std::string& name, std::uint64_t value, std::uint64_t wanted,
                  const std::string& remedy) {
  ASSERT_TRUE(made.failed_with(Errc::limit_reached)) << (made ? "it was made" : made.error().message());
  ASSERT_NE(made.error().limit(), nullptr);
  EXPECT_THAT(made.error().limit()->name, HasSubstr(name));
  EXPECT_EQ(made.error().limit()->value, value);
  EXPECT_EQ(made.error().limit()->wanted, wanted);
  EXPECT_THAT(made.error().message(), HasSubstr(remedy));
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
