// Who makes it, and what is left where that does not come to its end.
#include <tenon/ipc/fifo/fifo.hpp>

#include <kit/named_path.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/shared.hpp>
#include <kit/traced_process.hpp>
#include <kit/unique.hpp>

#include <atomic>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

TEST(Fifo, that_is_half_made_is_stale_and_open_or_create_finishes_it) {  // F4 F5 F6
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  ASSERT_EQ(::mkfifo(name.path.c_str(), 0), 0);
  const auto opened = Fifo::open(name.path);
  ASSERT_TRUE(opened.failed_with(Errc::stale));
  EXPECT_THAT(opened.error().message(), HasSubstr("open_or_create finishes it"));
  EXPECT_TRUE(Fifo::create(name.path).failed_with(Errc::already_exists));
  EXPECT_TRUE(Fifo::open_or_create(name.path, Permissions(0640)));
  EXPECT_EQ(kit::mode_of(name.path), 0640U);
  EXPECT_TRUE(Fifo::open_or_create(name.path, owner_only));
  EXPECT_EQ(kit::mode_of(name.path), 0640U) << "one that exists keeps its permissions";
}

TEST(Fifo, finished_by_another_while_its_creator_stood_still_keeps_the_others_mode) {  // F4 F6
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  const kit::Shared<std::atomic<bool>> told;
  kit::TracedProcess creator([] {}, [&] { *told = Fifo::create(name.path).failed_with(Errc::already_exists); });
  while (::access(name.path.c_str(), F_OK) != 0) {
    ASSERT_EQ(creator.run_past_system_call(), kit::TracedProcess::State::stopped);
  }
  ASSERT_EQ(kit::mode_of(name.path), 0U) << "it stands between mkfifo and chmod";
  EXPECT_TRUE(Fifo::open_or_create(name.path, Permissions(0640)));
  EXPECT_EQ(creator.run_to_end(kit::default_limit), kit::TracedProcess::State::finished);
  EXPECT_TRUE(*told);
  EXPECT_EQ(kit::mode_of(name.path), 0640U);
}

TEST(Fifo, opens_once_its_creator_has_completed_it) {
  const kit::UniqueDirectory directory;
  const kit::NamedPath name(directory / "fifo");
  ASSERT_EQ(::mkfifo(name.path.c_str(), 0), 0);
  std::thread creator([&] { ::chmod(name.path.c_str(), 0600); });
  EXPECT_TRUE(Fifo::open(name.path));
  creator.join();
}

TEST(Fifo, leaves_nothing_behind_where_there_is_no_space) {  // F14
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    ASSERT_EQ(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "nr_inodes=2,mode=0700"), 0);
    {
      const kit::NamedPath one(directory / "one");
      EXPECT_TRUE(Fifo::create(one.path));
      EXPECT_TRUE(Fifo::create(directory / "two").failed_with(Errc::no_space));
      EXPECT_TRUE(Fifo::open_or_create(directory / "two").failed_with(Errc::no_space));
      EXPECT_EQ(kit::names_in(directory.path()).size(), 1U);
    }
    ASSERT_EQ(::umount(directory.path().c_str()), 0);
  });
}

TEST(Fifo, without_proc_is_not_supported_and_leaves_nothing_behind) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const kit::NamedPath name(directory / "fifo");
    const Fifo fifo = Fifo::create(name.path).or_throw();
    ASSERT_EQ(::mount("tmpfs", "/proc", "tmpfs", 0, "size=4k"), 0);
    const auto end = fifo.try_open_for_reading();
    EXPECT_TRUE(end.failed_with(Errc::not_supported));
    EXPECT_THAT(end.error().message(), HasSubstr("/proc is not mounted"));
    for (const auto& made : {Fifo::create(directory / "other"), Fifo::open_or_create(directory / "other")}) {
      ASSERT_TRUE(made.failed_with(Errc::not_supported)) << made.error().message();
      EXPECT_THAT(made.error().message(), HasSubstr("/proc is not mounted"));
    }
    EXPECT_EQ(kit::names_in(directory.path()).size(), 1U);
    ASSERT_EQ(::umount("/proc"), 0);
  });
}

}  // namespace
