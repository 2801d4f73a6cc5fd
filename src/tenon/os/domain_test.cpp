#include <tenon/os/domain.hpp>

#include <kit/leak_check.hpp>
#include <kit/named_path.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/refused_call.hpp>
#include <kit/reported_child.hpp>
#include <kit/unique.hpp>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using tenon::Domain;
using tenon::Errc;
using tenon::Permissions;

constexpr uid_t somebody = 65534;
constexpr gid_t their_group = 65533;

void in_child(const std::function<void()>& body) {
  kit::ReportedChild child("child", body);
  EXPECT_TRUE(child.finish(tenon::never));
}

// Another user's directory, made as root.
void make_foreign(const std::string& path, mode_t mode) {
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  ASSERT_EQ(::chown(path.c_str(), somebody, their_group), 0);
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

TEST(Domain, is_made_if_missing_and_found_the_next_time) {
  const kit::UniqueDirectory directory;
  const kit::LeakCheck check;
  const std::string path = directory / "domain";
  const Domain made = Domain::open(path).or_throw();
  EXPECT_EQ(made.path(), path);
  EXPECT_EQ(kit::mode_of(path), 0700U);
  EXPECT_EQ(::fcntl(made.directory().raw(), F_GETFD), FD_CLOEXEC);  // F36
  EXPECT_TRUE(Domain::open(path));
  ::rmdir(path.c_str());
}

// F13
TEST(Domain, has_exactly_the_mode_asked_for_whatever_the_umask) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  for (const mode_t mask : {0000U, 0077U}) {
    in_child([&] {
      ::umask(mask);
      for (const std::uint32_t mode : {0700U, 0770U, 0750U}) {
        EXPECT_TRUE(Domain::open(path, Permissions(mode)));
        EXPECT_EQ(kit::mode_of(path), mode) << "umask " << mask;
        ::rmdir(path.c_str());
      }
    });
  }
}

// F6 F13
TEST(Domain, that_cannot_be_given_its_mode_is_never_there) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  in_child([&] {
    ::umask(0077);
    if (!kit::refuse_call(SYS_fchmod, EPERM)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    EXPECT_TRUE(Domain::open(path, Permissions(0770)).failed_with(Errc::permission_denied));
  });
  EXPECT_EQ(kit::names_in(directory.path()), std::vector<std::string>{}) << "nor anything else";
}

// F6 F8
TEST(Domain, what_a_maker_left_who_died_half_way_is_taken_away_by_the_next) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  in_child([&] {
    if (!kit::refuse_call(SYS_renameat2, EPERM) || !kit::refuse_call(SYS_rmdir, EPERM)) {
      GTEST_SKIP() << "this kernel has no seccomp filters";
    }
    EXPECT_FALSE(Domain::open(path));
    EXPECT_FALSE(Domain::open(path));
  });
  ASSERT_EQ(kit::names_in(directory.path()).size(), 2U);
  const std::string others = directory / ".tenon-0123456789abcdef.another";
  ASSERT_EQ(::mkdir(others.c_str(), 0700), 0);
  EXPECT_TRUE(Domain::open(path));
  EXPECT_EQ(kit::names_in(directory.path()), (std::vector<std::string>{".tenon-0123456789abcdef.another", "domain"}));
  ::rmdir(others.c_str());
  ::rmdir(path.c_str());
}

// F4 F13
TEST(Domain, is_made_once_by_many_who_race_and_seen_by_none_before_it_has_its_mode) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  in_child([&] {
    ::umask(0077);
    for (int turn = 0; turn < 50; ++turn) {
      std::vector<std::jthread> racers;
      for (int i = 0; i < 4; ++i) {
        racers.emplace_back([&] {
          const Domain domain = Domain::open(path, Permissions(0770)).or_throw();
          struct stat status{};
          EXPECT_EQ(::fstat(domain.directory().raw(), &status), 0);
          EXPECT_EQ(status.st_mode & 07777, 0770U);
          EXPECT_EQ(status.st_nlink, 2U) << "one that was swept away";
        });
      }
      racers.clear();
      EXPECT_EQ(kit::names_in(directory.path()), std::vector<std::string>{"domain"});
      ::rmdir(path.c_str());
    }
  });
}

// F2
TEST(Domain, a_name_of_255_bytes_leaves_room_to_make_it) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / std::string(255, 'n');
  EXPECT_TRUE(Domain::open(path));
  EXPECT_EQ(::rmdir(path.c_str()), 0);
}

TEST(Domain, one_that_exists_keeps_its_mode) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  EXPECT_TRUE(Domain::open(path, Permissions(0750)));
  EXPECT_TRUE(Domain::open(path, Permissions(0700)));
  EXPECT_EQ(kit::mode_of(path), 0750U);
  ::rmdir(path.c_str());
}

// F75
TEST(Domain, a_symlink_or_a_file_in_its_place_is_refused) {
  const kit::UniqueDirectory directory;
  const std::string target = directory / "target";
  const std::string link = directory / "link";
  const std::string file = directory / "file";
  ASSERT_EQ(::mkdir(target.c_str(), 0700), 0);
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  for (const auto& path : {link, file}) {
    const auto refused = Domain::open(path);
    ASSERT_TRUE(refused.failed_with(Errc::wrong_kind)) << path;
    EXPECT_EQ(refused.error().object(), path);
  }
  ::unlink(link.c_str());
  ::unlink(file.c_str());
  ::rmdir(target.c_str());
}

// F1
TEST(Domain, a_path_that_names_no_directory_to_make_is_refused) {
  for (const std::string_view path : {"", "/", "/tmp/..", "/dev/shm/"}) {
    EXPECT_TRUE(Domain::open(path).failed_with(Errc::invalid_name)) << path;
  }
  EXPECT_TRUE(Domain::open("/nowhere/domain").failed_with(Errc::not_found));
}

TEST(Domain, a_directory_that_everybody_may_write_is_refused) {
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  for (const mode_t mode : {0777U, 01777U, 0702U}) {
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto refused = Domain::open(path);
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied)) << mode;
    EXPECT_NE(refused.error().message().find("uid " + std::to_string(::geteuid())), std::string::npos);
    ::rmdir(path.c_str());
  }
}

// F12
TEST(Domain, another_users_is_refused_by_uid_unless_it_is_shared_with_ones_group) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to make another user's directory";
  }
  const kit::UniqueDirectory directory;
  const std::string path = directory / "domain";
  for (const mode_t mode : {0700U, 0755U, 0750U, 0770U, 0775U}) {
    make_foreign(path, mode);
    const auto refused = Domain::open(path);
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied)) << mode;
    EXPECT_NE(refused.error().message().find("uid 65534"), std::string::npos) << refused.error().message();
    ::rmdir(path.c_str());
  }
  make_foreign(path, 0770);
  in_child([&] {
    ASSERT_EQ(::setgroups(1, &their_group), 0);
    EXPECT_TRUE(Domain::open(path));
    ASSERT_EQ(::setgroups(0, nullptr), 0);
    EXPECT_TRUE(Domain::open(path).failed_with(Errc::permission_denied));
    ASSERT_EQ(::setegid(their_group), 0);
    EXPECT_TRUE(Domain::open(path));
  });
  ::rmdir(path.c_str());
}

// F12
TEST(Domain, a_users_own_place_that_another_has_taken_is_refused_even_if_shared) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to make another user's directory";
  }
  kit::in_private_namespaces([] {
    ::unsetenv("TENON_DOMAIN");
    make_foreign("/dev/shm/tenon-0", 0770);
    ASSERT_EQ(::setgroups(1, &their_group), 0);
    const auto refused = Domain::of_environment();
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
    EXPECT_NE(refused.error().message().find("uid 65534"), std::string::npos);
    EXPECT_TRUE(Domain::open("/dev/shm/tenon-0")) << "asked for by name it is one that is shared";
  });
}

TEST(Domain, without_a_word_in_the_environment_is_the_users_own) {
  kit::in_private_namespaces([] {
    const std::string path = "/dev/shm/tenon-" + std::to_string(::geteuid());
    ::unsetenv("TENON_DOMAIN");
    EXPECT_EQ(Domain::path_of_environment(), path);
    EXPECT_NE(::access(path.c_str(), F_OK), 0) << "to ask makes nothing";
    EXPECT_EQ(Domain::of_environment().or_throw().path(), path);
    ::setenv("TENON_DOMAIN", "", 1);
    EXPECT_EQ(Domain::of_environment().or_throw().path(), path);
    EXPECT_EQ(kit::mode_of(path), 0700U);
    ::rmdir(path.c_str());
  });
}

TEST(Domain, is_the_one_that_the_environment_names) {
  kit::UniqueDirectory directory;
  in_child([&] {
    ::setenv("TENON_DOMAIN", directory.path().c_str(), 1);
    EXPECT_EQ(Domain::path_of_environment(), directory.path());
    EXPECT_EQ(Domain::of_environment().or_throw().path(), directory.path());
  });
}

TEST(Domain, works_in_a_forked_child) {
  const kit::UniqueDomain unique;
  in_child([&] {
    const auto made = tenon::fd_from(
        ::openat(unique.domain().directory().raw(), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), "openat");
    EXPECT_TRUE(made);
  });
  EXPECT_EQ(kit::names_in(unique.path()), std::vector<std::string>{"file"});
  ::unlink((unique.path() + "/file").c_str());
}

}  // namespace
