/// Who waits for which lock on a file: several locks, several threads, and files that cannot be asked.
#include <tenon/inspect/kernel/known_file.hpp>
#include <tenon/inspect/kernel/served_mounts.hpp>

#include <tenon/os/fd.hpp>

#include <kit/waiting_child.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/shared.hpp>
#include <kit/unanswering_files.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace tenon;
using namespace tenon::inspect;
using kit::Seen;
using kit::seen_waiting;
using kit::WaitingChild;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

int opened(const std::string& path) { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }

int lock_bytes(int file, int command, short type, off_t first, off_t count) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = count;
  return ::fcntl(file, command, &lock);
}

// One that has done what it is about, which may sleep on the way, and does nothing more.
class HoldingChild {
 public:
  explicit HoldingChild(const std::function<void()>& take)
      : child_([this, take] {
          take();
          *done_ = true;
          kit::wait_to_be_killed();
        }) {
    while (!*done_) {
      ::sched_yield();
    }
  }
  pid_t pid() { return child_.pid(); }

 private:
  kit::Shared<std::atomic<bool>> done_;
  WaitingChild child_;
};

class FileLockWaits : public testing::Test {
 protected:
  kit::Watchdog watchdog_{"somebody waits for a file's lock"};
  kit::UniqueDirectory directory_;
  std::string one_ = directory_ / "one";
  std::string other_ = directory_ / "other";
  ~FileLockWaits() override {
    ::unlink(one_.c_str());
    ::unlink(other_.c_str());
  }
};

std::vector<std::string> waited_for(const Snapshot& all, pid_t pid) {
  std::vector<std::string> names;
  for (const Wait& wait : all.waits) {
    if (wait.pid == pid && !wait.objects.empty()) {
      names.push_back(all.objects[wait.objects.front()].name + " " + all.objects[wait.objects.front()].state);
    }
  }
  return names;
}

// As soon as two threads of it are seen to wait for locks.
std::vector<std::string> waited_for_by_two(pid_t pid, const std::string& call) {
  while (true) {
    const Snapshot all = snapshot({.directories = {}, .waits = true});
    const auto waits =
        std::ranges::count_if(all.waits, [&](const Wait& one) { return one.pid == pid && one.call == call; });
    if (waits == 2) {
      return waited_for(all, pid);
    }
  }
}

TEST_F(FileLockWaits, two_threads_in_flock_on_two_files_wait_for_two) {
  HoldingChild owner([&] {
    ::flock(opened(one_), LOCK_EX);
    ::flock(opened(other_), LOCK_EX);
  });
  WaitingChild both([&] {
    std::jthread second([&] { ::flock(opened(other_), LOCK_EX); });
    ::flock(opened(one_), LOCK_EX);
  });
  EXPECT_THAT(waited_for_by_two(both.pid(), "flock"),
              UnorderedElementsAre(one_ + " flock, write", other_ + " flock, write"));
}

TEST_F(FileLockWaits, two_threads_that_wait_for_bytes_of_one_file_wait_for_who_has_them) {
  HoldingChild first([&] { lock_bytes(opened(one_), F_SETLK, F_WRLCK, 0, 10); });
  HoldingChild second([&] { lock_bytes(opened(one_), F_SETLK, F_WRLCK, 20, 10); });
  WaitingChild both([&] {
    std::jthread other([&] { lock_bytes(opened(one_), F_SETLKW, F_WRLCK, 25, 1); });
    lock_bytes(opened(one_), F_SETLKW, F_WRLCK, 5, 1);
  });
  EXPECT_THAT(waited_for_by_two(both.pid(), "fcntl"),
              UnorderedElementsAre(one_ + " posix, write, bytes 0 to 9", one_ + " posix, write, bytes 20 to 29"));
}

TEST_F(FileLockWaits, of_an_open_file_description_the_lock_that_overlaps_is_told) {
  HoldingChild owners([&] {
    lock_bytes(opened(one_), F_OFD_SETLK, F_WRLCK, 0, 10);
    lock_bytes(opened(one_), F_OFD_SETLK, F_WRLCK, 20, 0);
  });
  WaitingChild waiter([&] { lock_bytes(opened(one_), F_OFD_SETLKW, F_RDLCK, 30, 1); });
  const Seen seen = seen_waiting(waiter.pid(), "fcntl");
  ASSERT_THAT(seen.wait.objects, SizeIs(1));
  EXPECT_EQ(seen.object().state, "ofd, write, bytes 20 and on");
}

TEST_F(FileLockWaits, of_a_reader_the_locks_of_readers_are_not_in_the_way) {
  HoldingChild reader([&] { ::flock(opened(one_), LOCK_SH); });
  WaitingChild writer([&] { ::flock(opened(one_), LOCK_EX); });
  const Seen seen = seen_waiting(writer.pid(), "flock");
  EXPECT_EQ(seen.object().state, "flock, read");
  ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
  EXPECT_EQ(seen.edges(Relation::owns).front().pid, reader.pid());
}

TEST_F(FileLockWaits, of_who_asks_for_more_than_its_descriptor_has_that_is_said) {
  HoldingChild reader([&] { lock_bytes(opened(one_), F_OFD_SETLK, F_RDLCK, 0, 10); });
  WaitingChild both([&] {
    const int file = opened(one_);
    lock_bytes(file, F_OFD_SETLK, F_RDLCK, 0, 10);
    lock_bytes(file, F_OFD_SETLKW, F_WRLCK, 0, 10);
  });
  const Seen seen = seen_waiting(both.pid(), "fcntl");
  EXPECT_EQ(seen.object().state, "ofd, read, bytes 0 to 9");
  EXPECT_TRUE(seen.wait.carries);
  WaitingChild other([&] { lock_bytes(opened(one_), F_OFD_SETLKW, F_WRLCK, 5, 1); });
  EXPECT_FALSE(seen_waiting(other.pid(), "fcntl").wait.carries);
}

TEST_F(FileLockWaits, a_file_is_known_without_a_look_at_it) {
  const Fd file = Fd::adopt(opened(one_));
  struct stat status{};
  ASSERT_EQ(::fstat(file.raw(), &status), 0);
  const auto known = known_file(::getpid(), file.raw());
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->inode, status.st_ino);
  EXPECT_FALSE(known_file(::getpid(), 4000).has_value());
}

TEST(ServedMounts, are_those_of_programs_and_of_other_machines) {
  EXPECT_TRUE(has_server("fuse.sshfs"));
  EXPECT_TRUE(has_server("nfs4"));
  EXPECT_FALSE(has_server("tmpfs"));
  EXPECT_FALSE(has_server("ext4"));
}

TEST_F(FileLockWaits, the_device_of_a_mount_is_that_of_its_own_line) {
  constexpr std::string_view mounts =
      "24 30 0:22 / /proc rw - proc proc rw\n"
      "2 30 0:5 / /dev rw - devtmpfs udev rw\n"
      "30 1 fe:00 / / rw - ext4 /dev/vda rw\n";
  EXPECT_EQ(device_of_mount(mounts, 2), makedev(0, 5));
  EXPECT_EQ(device_of_mount(mounts, 24), makedev(0, 22));
  EXPECT_FALSE(device_of_mount(mounts, 4).has_value());
}

TEST(WaitsOfAHangingServer, hold_up_those_who_wait_for_it_and_nobody_who_looks) {
  const kit::Watchdog watchdog("a look at those who wait for a server that hangs");
  kit::in_private_namespaces([&] {
    const std::string directory = "/dev/shm/files";  // nobody else's, as all of /dev/shm here
    ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
    kit::UnansweringFiles files(directory);
    if (!files.refusal().empty()) {
      GTEST_SKIP() << "no file system of one's own: " << files.refusal();
    }
    const std::string path = directory + "/file";
    HoldingChild owner([&] { ::flock(opened(path), LOCK_EX); });
    WaitingChild waiter([&] { ::flock(opened(path), LOCK_EX); });
    seen_waiting(waiter.pid(), "flock");
    files.answer_no_more();
    WaitingChild opener([&] { ::open((directory + "/another").c_str(), O_RDONLY | O_CLOEXEC); });
    const Seen at_the_server = seen_waiting(opener.pid(), "openat");
    EXPECT_TRUE(at_the_server.wait.elsewhere);
    const Seen seen = seen_waiting(waiter.pid(), "flock");
    ASSERT_THAT(seen.wait.objects, SizeIs(1));
    ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
    EXPECT_EQ(seen.edges(Relation::owns).front().pid, owner.pid());
    const Snapshot searched = snapshot({.directories = {"/dev/shm"}});
    EXPECT_THAT(searched.unseen, Contains(AllOf(HasSubstr("might not answer"), HasSubstr(directory))));
  });
}

// Of a file that is there in a lower layer alone stat(2) tells another device than the kernel has for its locks.
TEST(WaitsOfAnOverlay, for_a_lock_on_a_file_of_a_lower_layer_name_it_and_its_owner) {
  const kit::Watchdog watchdog("a lock in an overlay");
  kit::in_private_namespaces([] {
    const auto part = [](const char* name) { return std::string("/dev/shm/") + name; };
    const auto made = [&](const char* name) { return ::mkdir(part(name).c_str(), 0755) == 0; };
    ASSERT_TRUE(made("lower") && made("upper"));
    ASSERT_EQ(::mount("tmpfs", part("lower").c_str(), "tmpfs", 0, ""), 0);
    ASSERT_EQ(::mount("tmpfs", part("upper").c_str(), "tmpfs", 0, ""), 0);
    ASSERT_TRUE(made("upper/files") && made("upper/work") && made("all"));
    ::close(opened(part("lower/file")));
    const std::string options =
        "xino=off,lowerdir=" + part("lower") + ",upperdir=" + part("upper/files") + ",workdir=" + part("upper/work");
    if (::mount("overlay", part("all").c_str(), "overlay", 0, options.c_str()) == -1) {
      GTEST_SKIP() << "no overlay may be mounted here: " << std::strerror(errno);
    }
    const std::string path = part("all/file");
    HoldingChild owner([&] { ::flock(::open(path.c_str(), O_RDONLY | O_CLOEXEC), LOCK_EX); });
    WaitingChild waiter([&] { ::flock(::open(path.c_str(), O_RDONLY | O_CLOEXEC), LOCK_EX); });
    const Seen seen = seen_waiting(waiter.pid(), "flock");
    ASSERT_THAT(seen.wait.objects, SizeIs(1));
    EXPECT_EQ(seen.object().name, path);
    ASSERT_THAT(seen.edges(Relation::owns), SizeIs(1));
    EXPECT_EQ(seen.edges(Relation::owns).front().pid, owner.pid());
  });
}

}  // namespace
