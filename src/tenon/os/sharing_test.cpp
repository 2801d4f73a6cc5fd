#include <tenon/os/sharing.hpp>

#include <tenon/os/process.hpp>

#include <kit/unique.hpp>

#include <algorithm>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon;

namespace {

constexpr std::size_t bytes = 10'000;

void fill_with_ones(MutableBytes memory) { std::ranges::fill(memory, std::byte{1}); }

TEST(SharedFile, has_its_name_once_it_is_whole) {
  const kit::UniqueDomain unique;
  const FdView directory = unique.domain().directory();
  const auto made = make_shared_file(directory, "file", bytes, owner_only, [&](MutableBytes memory) {
                      EXPECT_EQ(memory.size(), bytes);
                      EXPECT_TRUE(std::ranges::all_of(memory, [](std::byte byte) { return byte == std::byte{0}; }));
                      EXPECT_THAT(kit::names_in(unique.path()), testing::IsEmpty());
                      fill_with_ones(memory);
                    }).or_throw();
  EXPECT_THAT(kit::names_in(unique.path()), testing::ElementsAre("file"));
  const Mapping read = Mapping::of_file(made.fd.view(), bytes, Access::read).or_throw();
  EXPECT_TRUE(std::ranges::all_of(read.bytes(), [](std::byte byte) { return byte == std::byte{1}; }));
  ASSERT_EQ(::unlinkat(directory.raw(), "file", 0), 0);
}

TEST(SharedFile, is_refused_where_there_is_one_of_its_name) {
  const kit::UniqueDomain unique;
  const FdView directory = unique.domain().directory();
  make_shared_file(directory, "file", bytes, owner_only, fill_with_ones).or_throw();
  const auto second = make_shared_file(directory, "file", bytes, owner_only, fill_with_ones);
  EXPECT_TRUE(second.failed_with(Errc::already_exists));
  EXPECT_THAT(kit::names_in(unique.path()), testing::ElementsAre("file"));
  ASSERT_EQ(::unlinkat(directory.raw(), "file", 0), 0);
}

TEST(SharedFile, has_exactly_its_mode) {
  const kit::UniqueDomain unique;
  const mode_t before = ::umask(0777);
  const auto made = make_shared_file(unique.domain().directory(), "file", bytes, owner_and_group, fill_with_ones);
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat((unique.path() + "/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
  ASSERT_EQ(::unlinkat(unique.domain().directory().raw(), "file", 0), 0);
}

TEST(SharedFile, of_one_who_is_killed_while_it_fills_it_leaves_nothing) {
  const kit::UniqueDomain unique;
  Child child = spawn([&] {
                  static_cast<void>(make_shared_file(unique.domain().directory(), "file", bytes, owner_only,
                                                     [](MutableBytes) { ::raise(SIGKILL); }));
                  return 0;
                }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
  EXPECT_THAT(kit::names_in(unique.path()), testing::IsEmpty());
}

TEST(Sharing, is_with_a_group_that_may_write) {
  const kit::UniqueDirectory directory;
  const auto sharing_with = [&](mode_t mode) {
    EXPECT_EQ(::chmod(directory.path().c_str(), mode), 0);
    const Domain domain = Domain::open(directory.path()).or_throw();
    return Sharing::of(domain.directory()).or_throw().is_shared();
  };
  EXPECT_FALSE(sharing_with(0750));
  EXPECT_TRUE(sharing_with(0770));
  EXPECT_FALSE(sharing_with(0700));
}

}  // namespace
