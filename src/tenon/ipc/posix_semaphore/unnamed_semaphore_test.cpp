#include <tenon/ipc/posix_semaphore/unnamed_semaphore.hpp>

#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <tenon/os/exact_mode.hpp>
#include <tenon/os/mapping.hpp>

#include <array>
#include <cstddef>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

TEST(UnnamedSemaphore, stands_in_the_memory_that_it_was_given) {
  const Mapping memory = Mapping::shared_with_children(4096).or_throw();
  const MutableBytes place = memory.bytes().subspan(128);
  UnnamedSemaphore made = UnnamedSemaphore::create(place, 3).or_throw();
  EXPECT_EQ(static_cast<void*>(made.native()), static_cast<void*>(place.data()));
  UnnamedSemaphore opened = UnnamedSemaphore::open(place).or_throw();
  opened.wait(never).or_throw();
  EXPECT_EQ(made.value(), 2U);
  EXPECT_EQ(UnnamedSemaphore::adopt(made.native()).value(), 2U);
  EXPECT_EQ(memory.bytes()[128 + UnnamedSemaphore::size], std::byte{0}) << "it wrote beyond its place";
}

TEST(UnnamedSemaphore, is_shared_by_processes_that_map_one_file_at_different_addresses) {  // F33
  const kit::UniqueDirectory directory;
  const std::string path = directory / "memory";
  const Fd file = create_file(FdView(AT_FDCWD), path.c_str(), owner_only).or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 4096), 0);
  const Mapping own = Mapping::of_file(file.view(), 4096, Access::read_write).or_throw();
  UnnamedSemaphore semaphore = UnnamedSemaphore::create(own.bytes(), 0).or_throw();
  kit::ReportedChild poster("poster", [&] {
    const Mapping other = Mapping::of_file(file.view(), 4096, Access::read_write).or_throw();
    ASSERT_NE(other.data(), own.data());
    EXPECT_TRUE(UnnamedSemaphore::open(other.bytes()).or_throw().post());
  });
  EXPECT_TRUE(semaphore.wait(never));
  (void)poster.finish(never);
  ::unlink(path.c_str());
}

TEST(UnnamedSemaphore, may_be_shared_by_the_threads_of_one_process_alone) {
  alignas(UnnamedSemaphore::alignment) std::array<std::byte, UnnamedSemaphore::size> memory;
  UnnamedSemaphore semaphore = UnnamedSemaphore::create(memory, 0, Sharing::threads).or_throw();
  std::jthread poster([&] { semaphore.post().or_throw(); });
  EXPECT_TRUE(semaphore.wait(never));
}

TEST(UnnamedSemaphore, refuses_memory_that_is_too_small_or_misaligned) {
  const Mapping memory = Mapping::shared_with_children(4096).or_throw();
  for (const MutableBytes wrong : {memory.bytes().first(UnnamedSemaphore::size - 1), memory.bytes().subspan(1),
                                   memory.bytes().subspan(4, 64), MutableBytes()}) {
    const auto refused = UnnamedSemaphore::create(wrong, 0);
    ASSERT_TRUE(refused.failed_with(Errc::invalid_argument));
    EXPECT_THAT(refused.error().message(), HasSubstr("needs 32 bytes"));
    EXPECT_TRUE(UnnamedSemaphore::open(wrong).failed_with(Errc::invalid_argument));
  }
}

TEST(UnnamedSemaphore, refuses_a_count_beyond_the_maximum) {  // F48
  const Mapping memory = Mapping::shared_with_children(4096).or_throw();
  const auto refused = UnnamedSemaphore::create(memory.bytes(), PosixSemaphore::most + 1);
  ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
  EXPECT_EQ(refused.error().limit()->wanted, 2147483648U);
  EXPECT_TRUE(UnnamedSemaphore::create(memory.bytes(), PosixSemaphore::most));
}

}  // namespace
