#include <kit/private_namespaces.hpp>

#include <tenon/os/procfs.hpp>

#include <kit/reported_child.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kit {

namespace {

struct Refused {
  std::string why;
};

void must(bool done, const char* what) {
  if (!done) {
    throw Refused{std::string(what) + ": " + std::strerror(errno)};
  }
}

void write_map(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  must(file != -1 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()), path);
  ::close(file);
}

// An ordinary user gets the right in a user namespace of its own, where it keeps its ids.
void unshare_with_rights(int flags) {
  if (::unshare(flags) == 0) {
    return;
  }
  must(errno == EPERM, "unshare");
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  must(::unshare(flags | CLONE_NEWUSER) == 0, "unshare(CLONE_NEWUSER)");
  write_map("/proc/self/setgroups", "deny");
  write_map("/proc/self/uid_map", uid + " " + uid + " 1");
  write_map("/proc/self/gid_map", gid + " " + gid + " 1");
}

void mount_private_views() {
  must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount /");
  must(::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0, "mount /dev/shm");
  // Queues work without it, but then nobody can list them. A machine that never used them lacks the directory.
  must(::mkdir("/dev/mqueue", 0755) == 0 || errno == EEXIST, "mkdir /dev/mqueue");
  must(::mount("mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV, nullptr) == 0, "mount /dev/mqueue");
}

// A process sees 0 for a parent outside its namespace, so the check behind WithParent::dies cannot be had here.
void run_as_first_process(const std::function<void()>& body) {
  auto in_view = [&] {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ASSERT_EQ(::mount("proc", "/proc", "proc", 0, nullptr), 0) << std::strerror(errno);
    body();
  };
  ReportedChild first("process 1", in_view, tenon::WithParent::lives_on);
  EXPECT_TRUE(first.finish(tenon::never));
}

void enter_and_run(const std::function<void()>& body, Namespaces which) {
  const bool pids = which == Namespaces::objects_and_pids;
  try {
    unshare_with_rights(CLONE_NEWIPC | CLONE_NEWNS | (pids ? CLONE_NEWPID : 0));
    mount_private_views();
  } catch (const Refused& refused) {
    GTEST_SKIP() << "needs root or user namespaces; " << refused.why;
  }
  if (pids) {
    run_as_first_process(body);
  } else {
    body();
  }
}

}  // namespace

void in_private_namespaces(const std::function<void()>& body, Namespaces which, Duration limit) {
  ReportedChild child("in private namespaces", [&] { enter_and_run(body, which); });
  if (!child.finish(tenon::after(patient(limit)))) {
    ADD_FAILURE() << "the body in private namespaces did not end";
  }
}

bool unmount_queues() {
  bool all = true;
  // One may stand on another: how many lines name the point is how often it is to be taken off.
  for (const tenon::procfs::Mount& mount : tenon::procfs::mounts().or_throw()) {
    if (mount.type == "mqueue") {
      all = ::umount2(mount.point.c_str(), MNT_DETACH) == 0 && all;
    }
  }
  return all;
}

}  // namespace kit
