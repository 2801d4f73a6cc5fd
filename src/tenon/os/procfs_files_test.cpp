#include <tenon/os/procfs.hpp>

#include <kit/private_namespaces.hpp>
#include <kit/unique.hpp>
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace {

namespace procfs = tenon::procfs;
using tenon::Errc;

TEST(ProcfsMaps, a_line_names_the_file_by_device_and_inode) {
  const auto file = procfs::parse_map("7f00-7f01 rw-s 00000000 fd:1a 1234      /dev/shm/a file").or_throw();
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, "/dev/shm/a file");
  EXPECT_EQ(file->device, makedev(0xfd, 0x1a));
  EXPECT_EQ(file->inode, 1234U);
  EXPECT_EQ(procfs::parse_map("1-2 rw-s 0 00:01 0   /SYSV00000000 (deleted)").or_throw()->path,
            "/SYSV00000000 (deleted)");
  EXPECT_EQ(procfs::parse_map(R"(1-2 r--p 0 00:01 7 /a\012b)").or_throw()->path, "/a\nb");
}

TEST(ProcfsMaps, memory_without_a_file_is_none) {
  EXPECT_FALSE(procfs::parse_map("7f00-7f01 rw-p 00000000 00:00 0 ").or_throw());
  EXPECT_FALSE(procfs::parse_map("7f00-7f01 rw-p 00000000 00:00 0                  [heap]").or_throw());
}

TEST(ProcfsMaps, a_line_that_is_none_is_corrupt) {
  for (const auto* line :
       {"", "7f00-7f01", "7f00-7f01 rw-p 0 0001 7 /x", "7f00-7f01 rw-p 0 00:01 x /x", "7f00-7f01 rw-p 0 zz:01 7 /x"}) {
    EXPECT_TRUE(procfs::parse_map(line).failed_with(Errc::corrupt)) << line;
  }
}

TEST(ProcfsMaps, what_this_process_maps_is_there_once_and_nameable) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "a\nb";
  const auto file = tenon::fd_from(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 8192), 0);
  struct stat status{};
  ASSERT_EQ(::fstat(file.raw(), &status), 0);
  void* first = ::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file.raw(), 0);
  void* again = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.raw(), 4096);
  const auto files = procfs::mapped_files(::getpid()).or_throw();
  EXPECT_EQ(std::ranges::count(files, status.st_ino, &procfs::MappedFile::inode), 1);
  const auto found = std::ranges::find(files, path, &procfs::MappedFile::path);
  ASSERT_NE(found, files.end());
  EXPECT_EQ(found->device, status.st_dev);
  ::munmap(first, 8192);
  ::munmap(again, 4096);
  ::unlink(path.c_str());
}

TEST(ProcfsMaps, an_address_stands_for_a_byte_of_the_file_that_is_shared_there) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "shared";
  const auto file = tenon::fd_from(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 8192), 0);
  struct stat status{};
  ASSERT_EQ(::fstat(file.raw(), &status), 0);
  auto* const second = static_cast<char*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.raw(), 4096));
  auto* const copied = static_cast<char*>(::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file.raw(), 0));
  const auto place = procfs::mapped_place(reinterpret_cast<std::uintptr_t>(second + 17)).or_throw();
  ASSERT_TRUE(place);
  EXPECT_EQ(place->offset, 4096U + 17);
  EXPECT_EQ(place->file.inode, status.st_ino);
  EXPECT_EQ(place->file.path, path);
  EXPECT_FALSE(procfs::mapped_place(reinterpret_cast<std::uintptr_t>(copied)).or_throw());
  EXPECT_FALSE(procfs::mapped_place(reinterpret_cast<std::uintptr_t>(&status)).or_throw());
  EXPECT_TRUE(procfs::mapped_place(1).failed_with(Errc::not_found));
  ::munmap(second, 4096);
  ::munmap(copied, 4096);
  ::unlink(path.c_str());
}

TEST(ProcfsMounts, a_line_may_have_optional_fields_or_none) {
  const auto plain = procfs::parse_mount("21 1 0:20 / /dev/mqueue rw,nosuid - mqueue none rw").or_throw();
  EXPECT_EQ(plain.point, "/dev/mqueue");
  EXPECT_EQ(plain.type, "mqueue");
  const auto shared = procfs::parse_mount(R"(36 35 98:0 /m /a\040b rw shared:1 master:2 - tmpfs tmpfs rw)").or_throw();
  EXPECT_EQ(shared.point, "/a b");
  EXPECT_EQ(shared.type, "tmpfs");
}

TEST(ProcfsMounts, a_line_that_was_cut_short_is_corrupt) {
  for (const auto* line : {"", "36 35 98:0 /", "36 35 98:0 / /mnt rw shared:1", "36 35 98:0 / /mnt rw -"}) {
    EXPECT_TRUE(procfs::parse_mount(line).failed_with(Errc::corrupt)) << line;
  }
}

TEST(ProcfsMounts, one_that_was_made_is_the_last) {
  kit::in_private_namespaces([] {
    const kit::UniqueDirectory directory;
    const std::string point = directory / "a point";
    ASSERT_EQ(::mkdir(point.c_str(), 0700), 0);
    ASSERT_EQ(::mount("mqueue", point.c_str(), "mqueue", 0, nullptr), 0) << std::strerror(errno);
    const auto all = procfs::mounts().or_throw();
    EXPECT_EQ(all.back().point, point);
    EXPECT_EQ(all.back().type, "mqueue");
    ::umount(point.c_str());
    ::rmdir(point.c_str());
  });
}

TEST(ProcfsNamespace, of_ipc_is_ones_own_and_no_longer_after_unsharing) {
  const std::uint64_t own = procfs::ipc_namespace(::getpid()).or_throw();
  EXPECT_EQ(procfs::ipc_namespace(::getppid()).value_or(own), own);
  kit::in_private_namespaces([&] { EXPECT_NE(procfs::ipc_namespace(::getpid()).or_throw(), own); });
}

}  // namespace
