#include <tenon/os/mapping.hpp>

#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/patience.hpp>
#include <kit/reported_child.hpp>
#include <kit/watchdog.hpp>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

using tenon::Access;
using tenon::Errc;
using tenon::Fd;
using tenon::Mapping;

constexpr std::size_t page = 4096;

Fd memory_file(std::size_t size) {
  Fd file = tenon::fd_from(::memfd_create("file", MFD_CLOEXEC), "memfd_create").or_throw();
  EXPECT_EQ(::ftruncate(file.raw(), static_cast<off_t>(size)), 0);
  return file;
}

bool is_mapped(const void* start) {
  unsigned char resident = 0;
  return ::mincore(const_cast<void*>(start), page, &resident) == 0;
}

TEST(Mapping, of_a_file_is_that_file) {
  const Fd file = memory_file(page);
  const Mapping one = Mapping::of_file(file.view(), page, Access::read_write).or_throw();
  const Mapping other = Mapping::of_file(file.view(), page, Access::read).or_throw();
  EXPECT_EQ(one.bytes().size(), page);
  one.data()[17] = std::byte{42};
  EXPECT_EQ(other.data()[17], std::byte{42});
  EXPECT_NE(one.data(), other.data());
}

TEST(Mapping, of_a_part_begins_at_its_offset) {
  const Fd file = memory_file(3 * page);
  const Mapping whole = Mapping::of_file(file.view(), 3 * page, Access::read_write).or_throw();
  const Mapping part = Mapping::of_file(file.view(), page, 2 * page, Access::read).or_throw();
  EXPECT_EQ(part.size(), 2 * page);
  whole.data()[page + 17] = std::byte{42};
  EXPECT_EQ(part.data()[17], std::byte{42});
  EXPECT_TRUE(Mapping::of_file(file.view(), 100, page, Access::read).failed_with(Errc::invalid_argument));
}

TEST(Mapping, takes_over_what_was_mapped_otherwise) {
  void* const start = ::mmap(nullptr, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(start, MAP_FAILED);
  {
    const Mapping memory = Mapping::adopt(static_cast<std::byte*>(start), page);
    EXPECT_EQ(memory.data(), start);
  }
  EXPECT_FALSE(is_mapped(start));
}

TEST(Mapping, is_shared_with_children) {
  const Mapping memory = Mapping::shared_with_children(page).or_throw();
  kit::ReportedChild child("child", [&] { std::memcpy(memory.data(), "text", 4); });
  EXPECT_TRUE(child.finish(tenon::never));
  EXPECT_EQ(std::memcmp(memory.data(), "text", 4), 0);
}

// F25: the processor refuses; the one who tried is the only one to end.
TEST(Mapping, writing_to_one_made_for_reading_ends_the_writer) {
  const Fd file = memory_file(page);
  const Mapping memory = Mapping::of_file(file.view(), page, Access::read).or_throw();
  auto child = tenon::spawn([&] {
                 const rlimit no_core{};
                 ::setrlimit(RLIMIT_CORE, &no_core);
                 ::signal(SIGSEGV, SIG_DFL);
                 *const_cast<volatile std::byte*>(memory.data()) = std::byte{1};
                 return 0;
               }).or_throw();
  EXPECT_EQ(child.wait(tenon::never).or_throw(), tenon::ExitStatus::killed(SIGSEGV));
  EXPECT_EQ(memory.data()[0], std::byte{0});
}

TEST(Mapping, goes_with_its_handle_or_when_it_is_closed) {
  const std::byte* start = nullptr;
  {
    const Mapping memory = Mapping::shared_with_children(page).or_throw();
    start = memory.data();
    EXPECT_TRUE(is_mapped(start));
  }
  EXPECT_FALSE(is_mapped(start));
  Mapping memory = Mapping::shared_with_children(page).or_throw();
  start = memory.data();
  EXPECT_TRUE(std::move(memory).close());
  EXPECT_FALSE(is_mapped(start));
  EXPECT_EQ(memory.data(), nullptr);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(memory.size(), 0U);
}

TEST(Mapping, assigned_to_it_unmaps_its_own_at_once) {
  Mapping to = Mapping::shared_with_children(page).or_throw();
  Mapping from = Mapping::shared_with_children(2 * page).or_throw();
  const std::byte* const old = to.data();
  const std::byte* const start = from.data();
  to = std::move(from);
  EXPECT_FALSE(is_mapped(old));
  EXPECT_EQ(to.data(), start);
  EXPECT_EQ(to.size(), 2 * page);
  EXPECT_EQ(from.data(), nullptr);  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(Mapping, assigned_to_itself_it_stays) {
  Mapping memory = Mapping::shared_with_children(page).or_throw();
  Mapping& same = memory;
  memory = std::move(same);
  ASSERT_NE(memory.data(), nullptr);
  EXPECT_TRUE(is_mapped(memory.data()));
}

TEST(Mapping, of_nothing_and_of_more_than_there_is_are_errors) {
  const Fd file = memory_file(page);
  EXPECT_TRUE(Mapping::of_file(file.view(), 0, Access::read).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(Mapping::of_file(file.view(), SIZE_MAX / 2, Access::read).failed_with(Errc::no_memory));
  EXPECT_FALSE(Mapping::of_file(tenon::FdView(-1), page, Access::read));
}

TEST(Mapping, of_a_file_opened_for_reading_cannot_be_written) {
  const Fd file = memory_file(page);
  const std::string path = "/proc/self/fd/" + std::to_string(file.raw());
  const Fd reading = tenon::fd_from(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open").or_throw();
  EXPECT_TRUE(Mapping::of_file(reading.view(), page, Access::read));
  EXPECT_TRUE(Mapping::of_file(reading.view(), page, Access::read_write).failed_with(Errc::permission_denied));
}

// F32
TEST(Mapping, the_limit_on_the_number_of_maps_is_named) {
  const auto most = tenon::procfs::number("/proc/sys/vm/max_map_count").or_throw();
  if (most > 1'000'000) {
    GTEST_SKIP() << "vm.max_map_count is " << most << ", which takes too long to reach";
  }
  if (kit::sanitizer() != kit::Sanitizer::none) {
    GTEST_SKIP() << "a sanitizer needs maps of its own, and ends the process when it gets none";
  }
  kit::ReportedChild child("child", [&] {
    const kit::Watchdog watchdog("the maps run out");
    std::vector<Mapping> held;
    held.reserve(4);
    // Neighbouring pages that differ in protection are maps of their own.
    const std::size_t bytes = most * page;
    void* const start = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(start, MAP_FAILED);
    for (std::size_t at = page; at < bytes; at += 2 * page) {
      if (::mprotect(static_cast<char*>(start) + at, page, PROT_READ) == -1) {
        break;
      }
    }
    const Fd file = memory_file(page);
    auto one = Mapping::of_file(file.view(), page, Access::read);
    while (one && held.size() < 4) {  // room that the last mprotect, which needs two, left
      held.push_back(std::move(*one));
      one = Mapping::of_file(file.view(), page, Access::read);
    }
    ::munmap(start, bytes);  // so that the rest has room to work in
    ASSERT_TRUE(one.failed_with(Errc::limit_reached)) << (one ? "" : one.error().message());
    ASSERT_NE(one.error().limit(), nullptr);
    EXPECT_EQ(one.error().limit()->name, "vm.max_map_count");
    EXPECT_EQ(one.error().limit()->value, most);
  });
  EXPECT_TRUE(child.finish(tenon::never));
}

}  // namespace
