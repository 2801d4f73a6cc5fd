#include <tenon/ipc/posix_memory/posix_memory.hpp>

#include <kit/main_thread.hpp>
#include <kit/mapped_text.hpp>
#include <kit/named_path.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace {

using namespace tenon;

constexpr std::size_t page = 4096;

TEST(PosixMemory, is_made_and_grows_without_the_main_thread_too) {
  kit::without_main_thread([] {
    const kit::SharedName named;
    PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
    memory.resize(2 * page).or_throw();
    EXPECT_EQ(PosixMemory::open(named.name, Access::read).or_throw().size().or_throw(), 2 * page);
  });
}

TEST(PosixMemory, carries_bytes_between_processes_that_share_only_the_name) {
  const kit::SharedName named;
  kit::run_sides({{"writer",
                   [&](kit::Stage& stage) {
                     const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
                     kit::put_text(memory.map(Access::read_write).or_throw(), "Hello");
                     stage.signal("written");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("written");
                     const PosixMemory memory = PosixMemory::open(named.name, Access::read).or_throw();
                     EXPECT_EQ(kit::text_at(memory.map(Access::read).or_throw(), 5), "Hello");
                   }}});
}

TEST(PosixMemory, is_what_shm_open_opens_and_the_other_way_round) {
  const kit::SharedName named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  kit::put_text(memory.map(Access::read_write).or_throw(), "ours");
  const Fd bare = fd_from(::shm_open(named.name.c_str(), O_RDWR, 0), "shm_open").or_throw();
  EXPECT_EQ(kit::text_at(Mapping::of_file(bare.view(), page, Access::read).or_throw(), 4), "ours");
  EXPECT_EQ(memory.name(), named.name);
  EXPECT_TRUE(PosixMemory::open(named.name.substr(1), Access::read)) << "the leading '/' may be left out";
  ASSERT_EQ(::shm_unlink(named.name.c_str()), 0);
  const Fd theirs = fd_from(::shm_open(named.name.c_str(), O_CREAT | O_RDWR, 0600), "shm_open").or_throw();
  ASSERT_EQ(::ftruncate(theirs.raw(), 100), 0);
  EXPECT_EQ(PosixMemory::open(named.name, Access::read).or_throw().size().or_throw(), 100U);
}

TEST(PosixMemory, comes_zeroed_and_outlives_its_processes) {
  const kit::SharedName named;
  kit::ReportedChild child("child", [&] {
    const Mapping memory = PosixMemory::create(named.name, page).or_throw().map(Access::read_write).or_throw();
    EXPECT_TRUE(std::ranges::all_of(memory.bytes(), [](std::byte b) { return b == std::byte{0}; }));
    kit::put_text(memory, "left");
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(kit::text_at(PosixMemory::open(named.name, Access::read).or_throw().map(Access::read).or_throw(), 4),
            "left");
}

TEST(PosixMemory, of_no_bytes_is_refused) {
  const kit::SharedName named;
  EXPECT_TRUE(PosixMemory::create(named.name, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixMemory::open_or_create(named.name, 0).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(PosixMemory::create(named.name, SIZE_MAX).failed_with(Errc::invalid_argument));
  EXPECT_FALSE(named.exists());
}

// F33: the same bytes stand at another address in each map, so what refers to them is an offset.
TEST(PosixMemory, stands_elsewhere_in_each_map) {
  const kit::SharedName named;
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
  const kit::SharedName named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Mapping all = memory.map(Access::read_write).or_throw();
  kit::ReportedChild child("child", [&] {
    kit::put_text(all, "inherited map");
    EXPECT_TRUE(memory.resize(2 * page));
    EXPECT_EQ(memory.map(Access::read).or_throw().size(), 2 * page);
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(kit::text_at(all, 13), "inherited map");
  EXPECT_EQ(memory.size().or_throw(), 2 * page);
}

TEST(PosixMemory, goes_on_after_its_name_is_removed) {
  const kit::SharedName named;
  const PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  const Mapping all = memory.map(Access::read_write).or_throw();
  EXPECT_TRUE(PosixMemory::unlink(named.name));
  EXPECT_TRUE(PosixMemory::unlink(named.name).failed_with(Errc::not_found));
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read).failed_with(Errc::not_found));
  kit::put_text(all, "still");
  EXPECT_EQ(kit::text_at(memory.map(Access::read).or_throw(), 5), "still");
  const PosixMemory next = PosixMemory::create(named.name, page).or_throw();
  EXPECT_NE(kit::text_at(next.map(Access::read).or_throw(), 5), "still");
}

TEST(PosixMemory, is_closed_on_exec_and_gives_its_descriptor_away) {  // F36
  const kit::SharedName named;
  PosixMemory memory = PosixMemory::create(named.name, page).or_throw();
  EXPECT_EQ(::fcntl(memory.fd().raw(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(PosixMemory::open(named.name, Access::read).or_throw().fd().raw(), F_GETFD), FD_CLOEXEC);
  kit::put_text(memory.map(Access::read_write).or_throw(), "handed over");
  const PosixMemory adopted = PosixMemory::adopt(std::move(memory).into_fd());
  EXPECT_EQ(kit::text_at(adopted.map(Access::read).or_throw(), 11), "handed over");
  EXPECT_EQ(adopted.name(), "");
  EXPECT_TRUE(PosixMemory::open(named.name, Access::read).or_throw().close());
}

}  // namespace
