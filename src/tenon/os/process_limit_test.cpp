#include <tenon/os/process_limit.hpp>

#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>

#include <cerrno>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr uid_t somebody = 54329;  // nobody else's processes run under it

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(never));
}

bool write_to(const std::string& path, const std::string& text) {
  const Fd file = Fd::adopt(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return ::write(file.raw(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// A cgroup of its own that counts processes; removed once those in it have ended.
struct OwnCgroup {
  OwnCgroup() {
    for (const char* const mount : {"/sys/fs/cgroup/pids/", "/sys/fs/cgroup/"}) {
      path = mount + kit::unique_name("tenon-test");
      if (::mkdir(path.c_str(), 0755) == 0) {
        made = ::access((path + "/pids.max").c_str(), W_OK) == 0;
        if (made) {
          return;
        }
        ::rmdir(path.c_str());
      }
    }
  }
  ~OwnCgroup() {
    if (made) {
      EXPECT_EQ(::rmdir(path.c_str()), 0) << path;
    }
  }
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;
  std::string path;
  bool made = false;
};

TEST(ProcessLimit, of_a_full_cgroup_is_named_with_its_figures) {
  const OwnCgroup cgroup;
  if (!cgroup.made) {
    GTEST_SKIP() << "no cgroup that counts processes can be made here";
  }
  in_child([&] {
    if (!write_to(cgroup.path + "/cgroup.procs", "0")) {
      GTEST_SKIP() << "no process can be moved to another cgroup here";
    }
    ASSERT_TRUE(write_to(cgroup.path + "/pids.max", "1"));
    const auto refused = spawn([] { return 0; });
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "pids.max of " + cgroup.path);
    EXPECT_EQ(refused.error().limit()->value, 1U);
    EXPECT_TRUE(spawn_program("true", {}).failed_with(Errc::limit_reached));
  });
}

TEST(ProcessLimit, of_a_user_is_named_with_its_value) {
  in_child([] {
    const rlimit one{.rlim_cur = 1, .rlim_max = 1};
    ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &one), 0);
    if (::setresuid(somebody, somebody, somebody) == -1 && ::geteuid() == 0) {
      GTEST_SKIP() << "root cannot become another user here";
    }
    const auto refused = spawn([] { return 0; });
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    ASSERT_NE(refused.error().limit(), nullptr);
    EXPECT_EQ(refused.error().limit()->name, "RLIMIT_NPROC");
    EXPECT_EQ(refused.error().limit()->value, 1U);
  });
}

// RLIMIT_NPROC does not hold root, so it cannot have been the cause.
TEST(ProcessLimit, of_the_user_is_not_blamed_where_it_does_not_hold) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const Error error = process_failure("fork", EAGAIN);
  ASSERT_NE(error.limit(), nullptr);
  EXPECT_EQ(error.limit()->name, "kernel.threads-max");
  EXPECT_EQ(error.limit()->value, procfs::number("/proc/sys/kernel/threads-max").or_throw());
  EXPECT_THAT(error.message(), HasSubstr("pids.max"));
  EXPECT_EQ(process_failure("fork", ENOMEM), Errc::no_memory);
}

}  // namespace
