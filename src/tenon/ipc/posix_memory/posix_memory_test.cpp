#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <kit/leak_check.hpp>
#include <kit/memory_group.hpp>
#include <kit/patience.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/unlink_on_exit.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr uid_t stranger = 54323;

// A name in /dev/shm that no other test has; removed, whatever stands there.
struct Named {
  Named() = default;
  ~Named() { ::unlink(path().c_str()); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  std::string path() const { return "/dev/shm" + name; }
  bool exists() const { return ::access(path().c_str(), F_OK) == 0; }
  std::string name = "/" + kit::unique_name("memory");
};

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

void put(const Mapping& memory, std::string_view text) { std::memcpy(memory.data(), text.data(), text.size()); }

std::string_view text_at(const Mapping& memory, std::size_t size) { return text_of(Bytes(memory.bytes()).first(size)); }

// What a signal ends with a core file elsewhere.
ExitStatus ending_of(const std::function<void()>& body) {
  return spawn([&] {
           const rlimit no_core{};
           ::setrlimit(RLIMIT_CORE, &no_core);
           ::signal(SIGSEGV, SIG_DFL);
           ::signal(SIGBUS, SIG_DFL);
           body();
           return 0;
         })
      .or_throw()
      .wait(never)
      .or_throw();
}

TEST(PosixMemory, carries_bytes_between_processes_that_share_only_the_name) {
  const Named named;
  kit::run_sides({{"writer",
                   [&](kit::Stage& stage) {
                     const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
                     put(memory.map(Access::read_write).or_throw(), "Hello");
                     stage.signal("written");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("written");
                     const PosixMemory memory = PosixMemory::open(named.name, Access::read).or_throw();
                     EXPECT_EQ(text_at(memory.map(Access::read).or_throw(), 5), "Hello");
                   }}});
}

TEST(PosixMemory, is_what_shm_open_opens_and_the_other_way_round) {
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  put(memory.map(Access::read_write).or_throw(), "ours");
  const Fd bare = fd_from(::shm_open(named.name.c_str(), O_RDWR, 0), "shm_open").or_throw();
  EXPECT_EQ(text_at(Mapping::of_file(bare.view(), page, Access::read).or_throw(), 4), "ours");
  EXPECT_EQ(memory.name(), named.name);
  EXPECT_TRUE(PosixMemory::open(named.name.substr(1), Access::read)) << "the leading '/' may be left out";
  ASSERT_EQ(::shm_unlink(named.name.c_str()), 0);
  const Fd theirs = fd_from(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600), "shm_open").or_throw();
  ASSERT_EQ(::ftruncate(theirs.raw(), 100), 0);
  EXPECT_EQ(PosixMemory::open(named.name, Access::read).or_throw().size().or_throw(), 100U);
}

TEST(PosixMemory, comes_zeroed_and_outlives_its_processes) {
  const Named named;
  kit::ReportedChild child("child", [&] {
    const Mapping memory = PosixMemory::create(named.name, page).or_throw().map(Access::read_write).or_throw();
    EXPECT_TRUE(std::ranges::all_of(memory.bytes(), [](std::byte b) { return b == std::byte{0}; }));
    put(memory, "left");
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(text_at(PosixMemory::open(named.name, Access::read).or_throw().map(Access::read).or_throw(), 4), "left");
}

// F13
TEST(PosixMemory, has_exactly_the_mode_asked_for_whatever_the_umask) {
  kit::ReportedChild child("creator", [] {
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : {0600U, 0640U, 0666U, 0400U, 0000U}) {
        const Named named;
        EXPECT_TRUE(PosixMemory::create(named.name, page, Permissions(mode)));
        EXPECT_EQ(mode_of(named.path()), mode) << "umask " << mask;
      }
      const Named named;
      EXPECT_TRUE(PosixMemory::open_or_create(named.name, page));
      EXPECT_EQ(mode_of(named.path()), 0600U);
    }
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(PosixMemory, refuses_names_before_any_system_call) {  // F1 F2
  const std::string with_nul("a\0b", 3);
  for (const std::string& name : {std::string(), std::string("/"), std::string("a/b"), std::string("//a"),
                                  std::string(".."), std::string("/."), with_nul, std::string(256, 'x')}) {
    EXPECT_TRUE(PosixMemory::create(name, page).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::open(name, Access::read).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::open_or_create(name, page).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(PosixMemory::unlink(name).failed_with(Errc::invalid_name)) << name;
  }
  Named longest;
  longest.name = ("/" + kit::unique_name("longest") + std::string(255, 'x')).substr(0, 256);
  EXPECT_TRUE(PosixMemory::create(longest.name, page));
}

TEST(PosixMemory, of_no_bytes_is_refused) {
  const Named named;
  EXPECT_TRUE(PosixMemory::create(named.name, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixMemory::open_or_create(named.name, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixMemory::create(named.name, SIZE_MAX).failed_with(Errc::invalid_argument));
  EXPECT_FALSE(named.exists());
}

TEST(PosixMemory, is_created_by_exactly_one_of_many_who_race) {  // F4
  const kit::Shared<std::atomic<int>> winners;
  const std::string stem = "/" + kit::unique_name("race");
  constexpr int rounds = 50;
  auto race = [&](kit::Stage& stage) {
    for (int round = 0; round < rounds; ++round) {
      stage.barrier();
      const std::string name = stem + "-" + std::to_string(round);
      const auto created = PosixMemory::create(name, page);
      *winners += created ? 1 : 0;
      EXPECT_TRUE(created || created.failed_with(Errc::already_exists));
      EXPECT_TRUE(PosixMemory::open_or_create(name, page)) << "whoever lost opens what the other made";
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*winners, rounds);
  for (int round = 0; round < rounds; ++round) {
    EXPECT_TRUE(PosixMemory::unlink(stem + "-" + std::to_string(round)));
  }
}

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
  const Named named;
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

TEST(PosixMemory, that_a_throwing_initialiser_was_to_fill_is_not_made) {
  const kit::LeakCheck check;
  const Named named;
  EXPECT_THROW((void)PosixMemory::create(named.name, page, owner_only, [](MutableBytes) { throw 1; }), int);
  EXPECT_FALSE(named.exists());
}

// As another program leaves it that dies between shm_open and ftruncate.
TEST(PosixMemory, without_length_is_stale_and_open_or_create_replaces_it) {  // F5 F6
  const Named named;
  ::close(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600));
  const auto opened = PosixMemory::open(named.name, Access::read);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create replaces it"));
  EXPECT_TRUE(PosixMemory::create(named.name, page).failed_with(Errc::already_exists));
  const auto replaced = PosixMemory::open_or_create(named.name, page, Permissions(0640));
  ASSERT_TRUE(replaced) << replaced.error().message();
  EXPECT_EQ(replaced->size().or_throw(), page);
  EXPECT_EQ(mode_of(named.path()), 0640U);
}

TEST(PosixMemory, without_length_is_replaced_once_by_many_who_come_at_once) {  // F5
  const Named named;
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
  const Named named;
  const Fd made = fd_from(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600), "shm_open").or_throw();
  std::thread creator([&] { EXPECT_EQ(::ftruncate(made.raw(), page), 0); });
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read));
  creator.join();
}

TEST(PosixMemory, that_exists_keeps_its_size_and_its_permissions) {
  const Named named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0640)));
  const auto opened = PosixMemory::open_or_create(named.name, 100, owner_only,
                                                  [](MutableBytes) { ADD_FAILURE() << "initialised twice"; });
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size().or_throw(), page);
  EXPECT_EQ(mode_of(named.path()), 0640U);
  const auto too_small = PosixMemory::open_or_create(named.name, 2 * page);
  ASSERT_TRUE(too_small.failed_with(Errc::invalid_argument));
  EXPECT_THAT(too_small.error().message(), HasSubstr("it exists with 4096 bytes, 8192 were asked for"));
}

void expect_refused(const std::string& name, const std::string& why) {
  for (const auto& opened : {PosixMemory::open(name, Access::read).transform([](const PosixMemory&) {}),
                             PosixMemory::open(name, Access::read_write).transform([](const PosixMemory&) {}),
                             PosixMemory::open_or_create(name, page).transform([](const PosixMemory&) {})}) {
    ASSERT_TRUE(opened.failed_with(Errc::permission_denied)) << name;
    EXPECT_THAT(opened.error().message(), HasSubstr(why));
    EXPECT_THAT(opened.error().message(), HasSubstr(name));
  }
}

TEST(PosixMemory, refuses_what_is_no_memory_and_says_what_it_is) {
  const kit::Watchdog watchdog("opening what was planted");
  const Named memory;
  ASSERT_TRUE(PosixMemory::create(memory.name, page));
  {
    const Named symlink;
    ASSERT_EQ(::symlink(memory.path().c_str(), symlink.path().c_str()), 0);
    expect_refused(symlink.name, "it is a symlink, not memory");
    EXPECT_TRUE(PosixMemory::create(symlink.name, page).failed_with(Errc::already_exists));
    EXPECT_TRUE(PosixMemory::unlink(symlink.name).failed_with(Errc::wrong_kind));
    const Named fifo;
    ASSERT_EQ(::mkfifo(fifo.path().c_str(), 0600), 0);
    expect_refused(fifo.name, "it is a FIFO");
    EXPECT_TRUE(PosixMemory::unlink(fifo.name).failed_with(Errc::wrong_kind));
    const Named socket;
    ASSERT_EQ(::mknod(socket.path().c_str(), S_IFSOCK | 0600, 0), 0);
    expect_refused(socket.name, "it is a socket");
    const Named place;
    ASSERT_EQ(::mkdir(place.path().c_str(), 0700), 0);
    expect_refused(place.name, "it is a directory");
    ::rmdir(place.path().c_str());
  }
  const Named other;
  ASSERT_EQ(::link(memory.path().c_str(), other.path().c_str()), 0);
  expect_refused(memory.name, "a hard link");
}

TEST(PosixMemory, of_another_user_is_refused_naming_the_user) {  // F12
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to make another user's memory";
  }
  const Named named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0666)));
  ASSERT_EQ(::chown(named.path().c_str(), stranger, stranger), 0);
  expect_refused(named.name, "it belongs to uid 54323, not to uid 0");
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read, stranger)) << "whoever expects that owner may";
  ASSERT_EQ(::chmod(named.path().c_str(), 0600), 0);
  kit::ReportedChild child("third user", [&] {
    ASSERT_EQ(::setresuid(stranger + 1, stranger + 1, stranger + 1), 0);
    expect_refused(named.name, "it belongs to uid 54323, not to uid 54324");
    const auto removed = PosixMemory::unlink(named.name);
    ASSERT_TRUE(removed.failed_with(Errc::permission_denied));
    EXPECT_THAT(removed.error().message(), HasSubstr("it belongs to uid 54323"));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(named.exists());
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
  const Named named;
  const Named other;
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

TEST(PosixMemory, leaves_nothing_behind_at_the_limit_on_descriptors) {  // F14
  kit::ReportedChild child("at the limit", [] {
    const Named named;
    struct rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const Fd next = fd_from(::fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl").or_throw();
    const struct rlimit limit{.rlim_cur = static_cast<rlim_t>(next.raw()) + 1, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto created = PosixMemory::create(named.name, page);
    const auto opened = PosixMemory::open_or_create(named.name, page);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_TRUE(created.failed_with(Errc::limit_reached));
    ASSERT_NE(created.error().limit(), nullptr);
    EXPECT_EQ(created.error().limit()->name, "RLIMIT_NOFILE");
    EXPECT_TRUE(opened.failed_with(Errc::limit_reached));
    EXPECT_FALSE(named.exists());
  });
  EXPECT_TRUE(child.finish(never));
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

// F19: what a peer says of the size counts for nothing; the kernel's own figure does.
TEST(PosixMemory, maps_no_byte_beyond_the_kernels_own_size_whoever_names_it) {
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, 3 * page).or_throw();
  struct Range {
    std::size_t offset;
    std::size_t length;
  };
  for (const Range& lie : {Range{0, 3 * page + 1}, Range{page, 3 * page}, Range{3 * page, 1}, Range{4 * page, 0},
                           Range{page, SIZE_MAX}, Range{SIZE_MAX, 2}, Range{SIZE_MAX - page + 1, page}}) {
    const auto refused = memory.map(lie.offset, lie.length, Access::read);
    EXPECT_TRUE(refused.failed_with(Errc::invalid_argument)) << lie.offset << " " << lie.length;
    EXPECT_THAT(refused.error().message(), HasSubstr("do not lie within its 12288 bytes"));
  }
  EXPECT_TRUE(memory.map(0, 0, Access::read).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(memory.map(100, 1, Access::read).failed_with(Errc::invalid_argument)) << "not on a page";
  const Mapping part = memory.map(page, 2 * page, Access::read_write).or_throw();
  put(part, "second page");
  EXPECT_EQ(std::memcmp(memory.map(Access::read).or_throw().data() + page, "second page", 11), 0);
}

TEST(PosixMemory, truncated_by_a_peer_is_told) {  // F17
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, 2 * page).or_throw();
  const Mapping all = memory.map(Access::read).or_throw();
  EXPECT_TRUE(memory.still_has(all.size()));
  kit::ReportedChild peer("peer", [&] { EXPECT_EQ(::truncate(named.path().c_str(), page), 0); });
  EXPECT_TRUE(peer.finish(never));
  const auto told = memory.still_has(all.size());
  ASSERT_TRUE(told.failed_with(Errc::corrupt));
  EXPECT_THAT(told.error().message(), HasSubstr("truncated it to 4096 of 8192 bytes"));
  EXPECT_TRUE(memory.still_has(page));
  EXPECT_TRUE(memory.map(0, 2 * page, Access::read).failed_with(Errc::invalid_argument));
  // The control: whoever does not ask is killed.
  EXPECT_EQ(ending_of([&] { (void)*const_cast<volatile std::byte*>(all.data() + page); }), ExitStatus::killed(SIGBUS));
}

TEST(PosixMemory, grows_while_others_have_it_mapped) {  // F34
  const Named named;
  kit::run_sides({{"grower",
                   [&](kit::Stage& stage) {
                     PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
                     put(memory.map(Access::read_write).or_throw(), "old");
                     stage.signal("made");
                     stage.await("mapped");
                     ASSERT_TRUE(memory.resize(64 * page));
                     const Mapping all = memory.map(Access::read_write).or_throw();
                     EXPECT_EQ(all.size(), 64 * page);
                     put(all, "new");
                     all.data()[63 * page] = std::byte{9};
                     stage.signal("grown");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("made");
                     const PosixMemory memory = PosixMemory::open(named.name, Access::read).or_throw();
                     const Mapping old = memory.map(Access::read).or_throw();
                     EXPECT_EQ(text_at(old, 3), "old");
                     stage.signal("mapped");
                     stage.await("grown");
                     EXPECT_EQ(text_at(old, 3), "new") << "the old map is still the same memory";
                     EXPECT_EQ(old.size(), page);
                     EXPECT_EQ(memory.map(Access::read).or_throw().data()[63 * page], std::byte{9});
                   }}});
}

TEST(PosixMemory, refuses_to_shrink_under_those_who_have_it_mapped) {
  const Named named;
  PosixMemory memory = PosixMemory::create(named.name, 2 * page).or_throw();
  const auto refused = memory.resize(page);
  ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
  EXPECT_THAT(refused.error().message(), HasSubstr("would be killed"));
  EXPECT_TRUE(memory.resize(2 * page));
  EXPECT_EQ(memory.size().or_throw(), 2 * page);
  PosixMemory reading = PosixMemory::open(named.name, Access::read).or_throw();
  EXPECT_FALSE(reading.resize(3 * page));
  EXPECT_EQ(memory.size().or_throw(), 2 * page);
}

TEST(PosixMemory, is_resized_by_one_at_a_time) {
  const Named named;
  const kit::Shared<std::atomic<int>> refused;
  ASSERT_TRUE(PosixMemory::create(named.name, page));
  auto grow = [&](kit::Stage& stage) {
    PosixMemory memory = PosixMemory::open(named.name, Access::read_write).or_throw();
    stage.barrier();
    for (std::size_t pages = 2; pages <= 200; ++pages) {
      auto resized = memory.resize(pages * page);
      // Somebody else may have made it longer still.
      const bool late = resized.failed_with(Errc::invalid_argument);
      *refused += resized.failed_with(Errc::would_block) ? 1 : 0;
      EXPECT_TRUE(resized || late || resized.failed_with(Errc::would_block)) << resized.error().message();
    }
    while (memory.resize(200 * page).failed_with(Errc::would_block)) {
      std::this_thread::yield();
    }
  };
  kit::run_sides({{"a", grow}, {"b", grow}, {"c", grow}});
  const PosixMemory memory = PosixMemory::open(named.name, Access::read_write).or_throw();
  EXPECT_EQ(memory.size().or_throw(), 200 * page);
  std::ranges::fill(memory.map(Access::read_write).or_throw().bytes(), std::byte{1});
}

TEST(PosixMemory, a_resize_beside_another_ones_is_told_so) {
  const Named named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Fd other = fd_from(::open(named.path().c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  ASSERT_EQ(::flock(other.raw(), LOCK_EX), 0);
  EXPECT_TRUE(memory.resize(2 * page).failed_with(Errc::would_block));
  ASSERT_EQ(::flock(other.raw(), LOCK_UN), 0);
  EXPECT_TRUE(memory.resize(2 * page));
}

TEST(PosixMemory, written_through_a_read_only_map_ends_the_writer_alone) {  // F25
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const PosixMemory reading = PosixMemory::open(named.name, Access::read).or_throw();
  const Mapping all = reading.map(Access::read).or_throw();
  EXPECT_EQ(ending_of([&] { *const_cast<volatile std::byte*>(all.data()) = std::byte{1}; }),
            ExitStatus::killed(SIGSEGV));
  EXPECT_EQ(all.data()[0], std::byte{0});
  EXPECT_TRUE(reading.map(Access::read_write).failed_with(Errc::permission_denied));
}

TEST(PosixMemory, opened_for_reading_cannot_be_reopened_for_writing_by_another_user) {  // F26
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const Named named;
  ASSERT_TRUE(PosixMemory::create(named.name, page, Permissions(0644)));
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const PosixMemory memory = PosixMemory::open(named.name, Access::read, 0).or_throw();
    EXPECT_TRUE(memory.map(Access::read));
    const std::string link = "/proc/self/fd/" + std::to_string(memory.fd().raw());
    EXPECT_EQ(::open(link.c_str(), O_RDWR | O_CLOEXEC), -1);
    EXPECT_EQ(errno, EACCES);
    EXPECT_TRUE(PosixMemory::open(named.name, Access::read_write, 0).failed_with(Errc::permission_denied));
    EXPECT_EQ(::truncate(named.path().c_str(), 0), -1);
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(PosixMemory, at_the_limit_on_maps_is_told_which_it_is) {  // F32
  const auto most = procfs::number("/proc/sys/vm/max_map_count").or_throw();
  if (most > 200'000 || kit::sanitizer() != kit::Sanitizer::none) {
    GTEST_SKIP() << "vm.max_map_count is " << most << ", or a sanitizer needs maps of its own";
  }
  kit::ReportedChild child("child", [&] {
    const kit::Watchdog watchdog("the maps run out");
    const Named named;
    const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
    std::vector<Mapping> held;
    held.reserve(most);
    auto one = memory.map(Access::read);
    for (; one && held.size() < most; one = memory.map(Access::read)) {
      held.push_back(std::move(*one));
    }
    held.clear();  // so that the rest has room to work in
    ASSERT_TRUE(one.failed_with(Errc::limit_reached)) << (one ? "" : one.error().message());
    EXPECT_EQ(one.error().limit()->name, "vm.max_map_count");
  });
  EXPECT_TRUE(child.finish(never));
}

// F33: the same bytes stand at another address in each map, so what refers to them is an offset.
TEST(PosixMemory, stands_elsewhere_in_each_map) {
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, 2 * page).or_throw();
  const Mapping here = memory.map(Access::read_write).or_throw();
  const Mapping there = memory.map(Access::read_write).or_throw();
  EXPECT_NE(here.data(), there.data());
  const std::size_t offset = page + 8;
  std::memcpy(here.data() + offset, "found", 5);
  std::memcpy(here.data(), &offset, sizeof offset);
  kit::ReportedChild child("child", [&] {
    // With another map in the way, so that this one lands elsewhere.
    const Mapping in_the_way = Mapping::shared_with_children(2 * page).or_throw();
    const Mapping own = PosixMemory::open(named.name, Access::read).or_throw().map(Access::read).or_throw();
    EXPECT_NE(own.data(), here.data());
    std::size_t found = 0;
    std::memcpy(&found, own.data(), sizeof found);
    EXPECT_EQ(std::memcmp(own.data() + found, "found", 5), 0);
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(PosixMemory, works_in_a_forked_child) {  // F35
  const Named named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Mapping all = memory.map(Access::read_write).or_throw();
  kit::ReportedChild child("child", [&] {
    put(all, "inherited map");
    EXPECT_TRUE(memory.resize(2 * page));
    EXPECT_EQ(memory.map(Access::read).or_throw().size(), 2 * page);
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(text_at(all, 13), "inherited map");
  EXPECT_EQ(memory.size().or_throw(), 2 * page);
}

TEST(PosixMemory, goes_on_after_its_name_is_removed) {
  const Named named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Mapping all = memory.map(Access::read_write).or_throw();
  EXPECT_TRUE(PosixMemory::unlink(named.name));
  EXPECT_TRUE(PosixMemory::unlink(named.name).failed_with(Errc::not_found));
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read).failed_with(Errc::not_found));
  put(all, "still");
  EXPECT_EQ(text_at(memory.map(Access::read).or_throw(), 5), "still");
  const PosixMemory next = PosixMemory::create(named.name, page).or_throw();
  EXPECT_NE(text_at(next.map(Access::read).or_throw(), 5), "still");
}

TEST(PosixMemory, is_closed_on_exec_and_gives_its_descriptor_away) {  // F36
  const Named named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  EXPECT_EQ(::fcntl(memory.fd().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(PosixMemory::open(named.name, Access::read).or_throw().fd().raw(), F_GETFD), FD_CLOEXEC);
  put(memory.map(Access::read_write).or_throw(), "handed over");
  const PosixMemory adopted = PosixMemory::adopt(std::move(memory).into_fd());
  EXPECT_EQ(text_at(adopted.map(Access::read).or_throw(), 11), "handed over");
  EXPECT_EQ(adopted.name(), "");
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read).or_throw().close());
}

}  // namespace
