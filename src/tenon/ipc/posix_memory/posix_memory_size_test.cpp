// How much of it there is, to those who map it, and what becomes of them when that changes.
#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <kit/mapped_text.hpp>
#include <kit/named_path.hpp>
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;

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

// F19: what a peer says of the size counts for nothing; the kernel's own figure does.
TEST(PosixMemory, maps_no_byte_beyond_the_kernels_own_size_whoever_names_it) {
  const kit::SharedName named;
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
  kit::put_text(part, "second page");
  EXPECT_EQ(std::memcmp(memory.map(Access::read).or_throw().data() + page, "second page", 11), 0);
}

TEST(PosixMemory, truncated_by_a_peer_is_told) {  // F17
  const kit::SharedName named;
  const PosixMemory memory = PosixMemory::create(named.name, 2 * page).or_throw();
  const Mapping all = memory.map(Access::read).or_throw();
  EXPECT_TRUE(memory.still_has(all.size()));
  kit::ReportedChild peer("peer", [&] { EXPECT_EQ(::truncate(named.path.c_str(), page), 0); });
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
  const kit::SharedName named;
  kit::run_sides({{"grower",
                   [&](kit::Stage& stage) {
                     PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
                     kit::put_text(memory.map(Access::read_write).or_throw(), "old");
                     stage.signal("made");
                     stage.await("mapped");
                     ASSERT_TRUE(memory.resize(64 * page));
                     const Mapping all = memory.map(Access::read_write).or_throw();
                     EXPECT_EQ(all.size(), 64 * page);
                     kit::put_text(all, "new");
                     all.data()[63 * page] = std::byte{9};
                     stage.signal("grown");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("made");
                     const PosixMemory memory = PosixMemory::open(named.name, Access::read).or_throw();
                     const Mapping old = memory.map(Access::read).or_throw();
                     EXPECT_EQ(kit::text_at(old, 3), "old");
                     stage.signal("mapped");
                     stage.await("grown");
                     EXPECT_EQ(kit::text_at(old, 3), "new") << "the old map is still the same memory";
                     EXPECT_EQ(old.size(), page);
                     EXPECT_EQ(memory.map(Access::read).or_throw().data()[63 * page], std::byte{9});
                   }}});
}

TEST(PosixMemory, refuses_to_shrink_under_those_who_have_it_mapped) {
  const kit::SharedName named;
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
  const kit::SharedName named;
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
  const kit::SharedName named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Fd other = fd_from(::open(named.path.c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  ASSERT_EQ(::flock(other.raw(), LOCK_EX), 0);
  EXPECT_TRUE(memory.resize(2 * page).failed_with(Errc::would_block));
  ASSERT_EQ(::flock(other.raw(), LOCK_UN), 0);
  EXPECT_TRUE(memory.resize(2 * page));
}

TEST(PosixMemory, written_through_a_read_only_map_ends_the_writer_alone) {  // F25
  const kit::SharedName named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const PosixMemory reading = PosixMemory::open(named.name, Access::read).or_throw();
  const Mapping all = reading.map(Access::read).or_throw();
  EXPECT_EQ(ending_of([&] { *const_cast<volatile std::byte*>(all.data()) = std::byte{1}; }),
            ExitStatus::killed(SIGSEGV));
  EXPECT_EQ(all.data()[0], std::byte{0});
  EXPECT_TRUE(reading.map(Access::read_write).failed_with(Errc::permission_denied));
}

TEST(PosixMemory, at_the_limit_on_maps_is_told_which_it_is) {  // F32
  const auto most = procfs::number("/proc/sys/vm/max_map_count").or_throw();
  if (most > 200'000 || kit::sanitizer() != kit::Sanitizer::none) {
    GTEST_SKIP() << "vm.max_map_count is " << most << ", or a sanitizer needs maps of its own";
  }
  kit::ReportedChild child("child", [&] {
    const kit::Watchdog watchdog("the maps run out");
    const kit::SharedName named;
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

}  // namespace
