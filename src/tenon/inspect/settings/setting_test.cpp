#include <tenon/inspect/settings/setting.hpp>

#include <tenon/inspect/settings/setting_row.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace tenon;
using inspect::Setting;
using inspect::Verdict;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

Setting setting(const std::string& name) {
  const auto all = inspect::settings();
  const auto found = std::ranges::find(all, name, &Setting::name);
  EXPECT_NE(found, all.end()) << name;
  return found == all.end() ? Setting{} : *found;
}

TEST(Settings, each_has_a_name_of_its_own_a_value_a_meaning_and_a_remedy) {
  std::set<std::string> names;
  for (const Setting& one : inspect::settings()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_FALSE(one.value.empty()) << one.name;
    EXPECT_TRUE(one.meaning.ends_with(".") || one.verdict == Verdict::note) << one.name << ": " << one.meaning;
    EXPECT_FALSE(one.meaning.empty()) << one.name;
    EXPECT_FALSE(one.remedy.empty()) << one.name;
  }
}

TEST(Settings, numbers_are_those_of_the_kernel) {
  for (const auto* name : {"fs.mqueue.msg_max", "kernel.msgmax", "fs.pipe-max-size", "fs.file-max"}) {
    std::string path = name;
    std::ranges::replace(path, '.', '/');
    EXPECT_THAT(setting(name).value, StartsWith(std::to_string(procfs::number("/proc/sys/" + path).or_throw())))
        << name;
  }
}

TEST(Settings, the_four_numbers_of_semaphores_are_told_apart) {
  std::ifstream file("/proc/sys/kernel/sem");
  for (const auto* field : {"SEMMSL", "SEMMNS", "SEMOPM", "SEMMNI"}) {
    std::string value;
    file >> value;
    EXPECT_THAT(setting(std::string("kernel.sem (") + field + ")").value, StartsWith(value + " "));
  }
}

TEST(Settings, a_limit_below_what_is_usual_is_a_note_and_below_what_is_needed_a_problem) {
  kit::ReportedChild child("with a low limit", [] {
    for (const auto& [limit, verdict] : {std::pair{rlim_t{1024}, Verdict::ok}, std::pair{rlim_t{1023}, Verdict::note},
                                         std::pair{rlim_t{63}, Verdict::problem}}) {
      rlimit now{};
      ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
      now.rlim_cur = limit;
      if (::setrlimit(RLIMIT_NOFILE, &now) == -1) {
        GTEST_SKIP() << "the hard limit is lower than usual";
      }
      const Setting found = setting("RLIMIT_NOFILE");
      EXPECT_EQ(found.verdict, verdict) << limit;
      EXPECT_THAT(found.value, StartsWith(std::to_string(limit) + " descriptors, at most "));
    }
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(Settings, the_mount_of_queues_is_found_wherever_it_is) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    EXPECT_EQ(setting("mqueue file system").value, "/dev/mqueue");
    if (!kit::unmount_queues()) {
      GTEST_SKIP() << "a mount of the file system cannot be taken off";
    }
    EXPECT_EQ(setting("mqueue file system").value, "not mounted");
    EXPECT_EQ(setting("mqueue file system").verdict, Verdict::note);
    const std::string point = directory / "queues here";
    fs::create_directory(point);
    ASSERT_EQ(::mount("mqueue", point.c_str(), "mqueue", 0, nullptr), 0) << std::strerror(errno);
    EXPECT_EQ(setting("mqueue file system").value, point);
    ::umount(point.c_str());
    fs::remove(point);
  });
}

TEST(Settings, too_little_room_in_shared_memory_is_told) {
  kit::in_private_namespaces([] {
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=32m"), 0) << std::strerror(errno);
    EXPECT_EQ(setting("/dev/shm").value, "32 MiB free of 32");
    EXPECT_EQ(setting("/dev/shm").verdict, Verdict::note);
    ::umount("/dev/shm");
    ASSERT_EQ(::mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=64k"), 0) << std::strerror(errno);
    EXPECT_EQ(setting("/dev/shm").verdict, Verdict::problem);
    ::umount("/dev/shm");
  });
}

class RemovesIpc : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const fs::path path = directory_.path() + "/" + file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  bool removes() const { return inspect::removes_ipc(directory_.path()); }
  void TearDown() override {
    fs::remove_all(directory_.path() + "/etc");
    fs::remove_all(directory_.path() + "/usr");
  }
  kit::UniqueDirectory directory_;
};

TEST_F(RemovesIpc, is_so_where_nothing_else_is_said) {
  EXPECT_TRUE(removes());
  write("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=no\n");
  EXPECT_TRUE(removes());
}

TEST_F(RemovesIpc, is_what_the_last_file_says) {
  write("etc/systemd/logind.conf", "[Login]\nRemoveIPC = no\n");
  EXPECT_FALSE(removes());
  write("usr/lib/systemd/logind.conf.d/50-on.conf", "[Login]\nRemoveIPC=yes\n");
  EXPECT_TRUE(removes());
  write("etc/systemd/logind.conf.d/60-off.conf", "[Login]\nRemoveIPC=0\n");
  EXPECT_FALSE(removes());
  write("etc/systemd/logind.conf.d/70-other.txt", "[Login]\nRemoveIPC=yes\n");
  EXPECT_FALSE(removes()) << "only files that end in .conf count";
}

TEST_F(RemovesIpc, a_file_below_etc_stands_in_for_one_of_the_same_name) {
  write("usr/lib/systemd/logind.conf.d/50.conf", "[Login]\nRemoveIPC=no\n");
  EXPECT_FALSE(removes());
  write("etc/systemd/logind.conf.d/50.conf", "[Login]\n");
  EXPECT_TRUE(removes());
}

}  // namespace
