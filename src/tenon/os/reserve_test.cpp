#include <tenon/os/reserve.hpp>

#include <tenon/os/mapping.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/signal_storm.hpp>
#include <kit/watchdog.hpp>
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace tenon;

constexpr std::size_t page = 4096;
constexpr std::size_t mebibyte = std::size_t{1} << 20;

Fd memory_file() { return fd_from(::memfd_create("reserved", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd").or_throw(); }

std::size_t length_of(const Fd& file) {
  struct stat status{};
  EXPECT_EQ(::fstat(file.raw(), &status), 0);
  return static_cast<std::size_t>(status.st_size);
}

std::size_t memory_of(const Fd& file) {
  struct stat status{};
  EXPECT_EQ(::fstat(file.raw(), &status), 0);
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

TEST(Reserve, puts_memory_behind_every_byte) {
  const Fd file = memory_file();
  ASSERT_TRUE(reserve(file.view(), 0, 3 * mebibyte + 17));
  EXPECT_EQ(length_of(file), 3 * mebibyte + 17);
  EXPECT_GE(memory_of(file), 3 * mebibyte + 17);
}

TEST(Reserve, lengthens_without_touching_what_is_there) {
  const Fd file = memory_file();
  ASSERT_EQ(::write(file.raw(), "text", 4), 4);
  ASSERT_TRUE(reserve(file.view(), 4, 2 * page));
  EXPECT_EQ(length_of(file), 2 * page);
  const Mapping memory = Mapping::of_file(file.view(), 2 * page, Access::read).or_throw();
  EXPECT_EQ(text_of(Bytes(memory.bytes()).first(4)), "text");
  EXPECT_TRUE(std::ranges::all_of(memory.bytes().subspan(4), [](std::byte b) { return b == std::byte{0}; }));
}

// F15: what was reserved can be touched to the last byte although nothing is left; and what cannot be had is an error.
TEST(Reserve, a_full_file_system_is_an_error_and_never_a_signal) {
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=1m"), 0);
    {
      const Fd one = fd_from(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
      const Fd other = fd_from(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
      ASSERT_TRUE(reserve(one.view(), 0, mebibyte - 2 * page));
      const auto refused = reserve(other.view(), 0, 3 * page);
      ASSERT_TRUE(refused.failed_with(Errc::no_space));
      ASSERT_NE(refused.error().limit(), nullptr);
      EXPECT_EQ(refused.error().limit()->value, 2 * page);
      EXPECT_EQ(refused.error().limit()->wanted, 3 * page);
      EXPECT_EQ(memory_of(other), 0U) << "it kept what it could not use";
      ASSERT_TRUE(reserve(other.view(), 0, 2 * page));
      const Mapping memory = Mapping::of_file(one.view(), mebibyte - 2 * page, Access::read_write).or_throw();
      std::ranges::fill(memory.bytes(), std::byte{1});
    }
    ASSERT_EQ(::umount("/dev/shm"), 0);
  });
}

TEST(Reserve, what_fails_half_way_is_given_back) {
  kit::ReportedChild child("child", [] {
    const Fd file = memory_file();
    ASSERT_TRUE(reserve(file.view(), 0, page));
    if (!kit::refuse_call(SYS_ftruncate, EIO)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    EXPECT_TRUE(reserve(file.view(), page, mebibyte).failed_with(Errc::io_error));
    EXPECT_EQ(length_of(file), page);
    EXPECT_EQ(memory_of(file), page);
  });
  EXPECT_TRUE(child.finish(never));
}

// More than the machine has is refused before anything is taken: no process is killed for it.
TEST(Reserve, more_than_the_machine_has_is_refused_at_once) {
  const Fd file = memory_file();
  const auto refused = reserve(file.view(), 0, std::size_t{1} << 50);
  ASSERT_TRUE(refused.failed_with(Errc::no_memory)) << (refused ? "" : refused.error().message());
  ASSERT_NE(refused.error().limit(), nullptr);
  EXPECT_EQ(refused.error().limit()->name, "available memory");
  EXPECT_GT(refused.error().limit()->value, mebibyte);
  EXPECT_EQ(memory_of(file), 0U);
}

TEST(Reserve, the_limit_on_the_size_of_files_is_named_and_raises_no_signal) {
  kit::ReportedChild child("child", [] {
    const Fd file = memory_file();
    struct rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit limit{.rlim_cur = page, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto refused = reserve(file.view(), 0, page + 1);
    const auto fits = reserve(file.view(), 0, page);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    EXPECT_EQ(refused.error().limit()->name, "RLIMIT_FSIZE");
    EXPECT_EQ(refused.error().limit()->value, page);
    EXPECT_TRUE(fits);
  });
  EXPECT_TRUE(child.finish(never));
}

// F71
TEST(Reserve, comes_to_its_end_in_a_storm_of_signals) {
  const kit::Watchdog watchdog("reserving under signals");
  const Fd file = memory_file();
  constexpr std::size_t much = 64 * mebibyte;
  const kit::SignalStorm storm;
  do {
    ASSERT_EQ(::ftruncate(file.raw(), 0), 0);
    ASSERT_TRUE(reserve(file.view(), 0, much));
    EXPECT_EQ(length_of(file), much);
  } while (storm.count() < 20);
}

// F71. That not every kernel takes back what a signal interrupts is no help on those that do: a filter plays one on
// which whatever is long is interrupted each time.
TEST(Reserve, makes_no_call_so_long_that_a_signal_comes_each_time) {
  kit::ReportedChild child("child", [] {
    const kit::Watchdog watchdog("reserving where long calls are always interrupted");
    const Fd file = memory_file();
    if (!kit::refuse_call_above(SYS_fallocate, 3, mebibyte, EINTR)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    EXPECT_TRUE(reserve(file.view(), 0, 16 * mebibyte));
    EXPECT_EQ(length_of(file), 16 * mebibyte);
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(Reserve, a_sealed_file_stays_as_it_is) {
  const Fd file = memory_file();
  ASSERT_TRUE(reserve(file.view(), 0, page));
  ASSERT_EQ(::fcntl(file.raw(), F_ADD_SEALS, F_SEAL_GROW), 0);
  EXPECT_TRUE(reserve(file.view(), page, mebibyte).failed_with(Errc::permission_denied));
  EXPECT_EQ(length_of(file), page);
}

TEST(Reserve, a_file_that_cannot_be_written_or_is_no_file_is_refused) {
  const Fd directory = fd_from(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open").or_throw();
  EXPECT_FALSE(reserve(directory.view(), 0, page));
  const Fd file = memory_file();
  const std::string path = "/proc/self/fd/" + std::to_string(file.raw());
  const Fd reading = fd_from(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  EXPECT_FALSE(reserve(reading.view(), 0, page));
  EXPECT_EQ(length_of(file), 0U);
}

}  // namespace
