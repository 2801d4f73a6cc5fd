#include <tenon/ipc/memfd/memfd.hpp>

#include <kit/descriptor_limit.hpp>
#include <kit/leak_check.hpp>
#include <kit/mapped_text.hpp>
#include <kit/reported_child.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr uid_t stranger = 54323;

Memfd with(std::string_view text) {
  Memfd memory = Memfd::create("test", page).or_throw();
  kit::put_text(memory.map(Access::read_write, Seals::none).or_throw(), text);
  return memory;
}

Fd reopened(const Memfd& memory, int flags) {
  const std::string link = "/proc/self/fd/" + std::to_string(memory.fd().raw());
  return fd_from(::open(link.c_str(), flags | O_CLOEXEC), "open").or_throw();
}

TEST(Memfd, carries_bytes_to_whoever_has_its_descriptor) {
  const Memfd memory = with("Hello");
  kit::ReportedChild child("child", [&] {
    const Mapping all = memory.map(Access::read_write, Seals::none).or_throw();
    EXPECT_EQ(kit::text_at(all, 5), "Hello");
    kit::put_text(all, "Back!");
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_EQ(kit::text_at(memory.map(Access::read, Seals::none).or_throw(), 5), "Back!");
  EXPECT_EQ(memory.size().or_throw(), page);
}

TEST(Memfd, is_zeroed_and_all_there) {
  const Memfd memory = Memfd::create("test", 100 * page + 1).or_throw();
  struct stat status{};
  ASSERT_EQ(::fstat(memory.fd().raw(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, static_cast<blkcnt_t>(100 * page + 1));
  const Mapping all = memory.map(Access::read, Seals::none).or_throw();
  EXPECT_EQ(all.size(), 100 * page + 1);
  EXPECT_TRUE(std::ranges::all_of(all.bytes(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Memfd, has_exactly_the_mode_asked_for_and_is_not_executable) {  // F13
  kit::ReportedChild child("creator", [] {
    for (const mode_t mask : {0U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : {0600U, 0640U, 0666U}) {
        const Memfd memory = Memfd::create("test", page, Permissions(mode)).or_throw();
        struct stat status{};
        ASSERT_EQ(::fstat(memory.fd().raw(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, mode) << "umask " << mask;
      }
    }
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(Memfd, shows_its_name_which_the_kernel_bounds) {  // F1 F2
  const Memfd memory = Memfd::create("shown", page).or_throw();
  const auto open = procfs::descriptors(::getpid()).or_throw();
  const auto own = std::ranges::find(open, memory.fd().raw(), &procfs::OpenDescriptor::number);
  ASSERT_NE(own, open.end());
  EXPECT_THAT(own->target, HasSubstr("/memfd:shown"));
  EXPECT_TRUE(Memfd::create(std::string(249, 'x'), page));
  for (const std::string& name : {std::string(250, 'x'), std::string(), std::string("a\0b", 3), std::string("a/b")}) {
    EXPECT_TRUE(Memfd::create(name, page).failed_with(Errc::invalid_name)) << name;
  }
  EXPECT_TRUE(Memfd::create("test", 0).failed_with(Errc::invalid_argument));
}

TEST(Memfd, keeps_its_seals_and_tells_them) {
  Memfd memory = Memfd::create("test", page).or_throw();
  EXPECT_FALSE(has_all(memory.seals().or_throw(), Seals::shrink));
  ASSERT_TRUE(memory.seal(Seals::shrink | Seals::grow));
  EXPECT_TRUE(has_all(memory.seals().or_throw(), Seals::shrink | Seals::grow));
  EXPECT_FALSE(has_all(memory.seals().or_throw(), Seals::write));
  ASSERT_TRUE(memory.seal(Seals::seal));
  const auto refused = memory.seal(Seals::write);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("sealed against sealing"));
  EXPECT_EQ(text_of(Seals::shrink | Seals::future_write), "shrink, future_write");
  EXPECT_EQ(text_of(Seals::none), "none");
}

// F18: whoever is handed memory looks at its seals before the map, not at what the sender says of them.
TEST(Memfd, that_lacks_a_seal_is_not_mapped_by_who_requires_it) {
  Memfd memory = with("data");
  const Memfd received = Memfd::adopt(memory.fd().duplicate().or_throw());
  const auto refused = received.map(Access::read, Seals::shrink | Seals::write);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it lacks the seals shrink, write"));
  ASSERT_TRUE(memory.seal(Seals::shrink));
  const auto still = received.map(Access::read, Seals::shrink | Seals::write);
  ASSERT_TRUE(still.failed_with(Errc::permission_denied));
  EXPECT_THAT(still.error().message(), HasSubstr("it lacks the seals write"));
  ASSERT_TRUE(memory.seal(Seals::write));
  EXPECT_EQ(kit::text_at(received.map(Access::read, Seals::shrink | Seals::write).or_throw(), 4), "data");
}

TEST(Memfd, sealed_cannot_be_truncated_under_its_reader) {  // F17
  Memfd memory = with("data");
  ASSERT_TRUE(memory.seal(Seals::shrink));
  const Mapping all = memory.map(Access::read, Seals::shrink).or_throw();
  kit::ReportedChild peer("peer", [&] {
    EXPECT_EQ(::ftruncate(memory.fd().raw(), 0), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(::ftruncate(reopened(memory, O_RDWR).raw(), 1), -1);
  });
  EXPECT_TRUE(peer.finish(never));
  EXPECT_EQ(kit::text_at(all, 4), "data");
  EXPECT_EQ(all.data()[page - 1], std::byte{0});
}

// The control: without the seal the peer's truncation kills the reader.
TEST(Memfd, unsealed_can_be_truncated_and_kills_its_reader) {  // F17
  const Memfd memory = with("data");
  const Mapping all = memory.map(Access::read, Seals::none).or_throw();
  ASSERT_EQ(::ftruncate(memory.fd().raw(), 0), 0);
  auto reader = spawn([&] {
                  const rlimit no_core{};
                  ::setrlimit(RLIMIT_CORE, &no_core);
                  ::signal(SIGBUS, SIG_DFL);
                  return static_cast<int>(*const_cast<volatile std::byte*>(all.data()));
                }).or_throw();
  EXPECT_EQ(reader.wait(never).or_throw(), ExitStatus::killed(SIGBUS));
  EXPECT_TRUE(memory.map(Access::read, Seals::none).failed_with(Errc::corrupt)) << "it has no bytes any more";
}

TEST(Memfd, is_mapped_as_long_as_the_kernel_says_and_not_as_a_peer_does) {  // F19
  Memfd memory = Memfd::create("test", 2 * page).or_throw();
  ASSERT_EQ(::ftruncate(memory.fd().raw(), page), 0);
  ASSERT_TRUE(memory.seal(Seals::shrink));
  EXPECT_EQ(memory.map(Access::read, Seals::shrink).or_throw().size(), page);
}

TEST(Memfd, sealed_against_writing_is_not_written_through_a_reopened_descriptor) {  // F26
  Memfd memory = with("data");
  ASSERT_TRUE(memory.seal(Seals::shrink | Seals::write));
  const Fd again = reopened(memory, O_RDWR);
  EXPECT_EQ(::pwrite(again.raw(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_TRUE(Mapping::of_file(again.view(), page, Access::read_write).failed_with(Errc::permission_denied));
  EXPECT_EQ(::fallocate(again.raw(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page), -1);
  const auto refused = memory.map(Access::read_write, Seals::none);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("it is sealed against write"));
  EXPECT_EQ(kit::text_at(memory.map(Access::read, Seals::write).or_throw(), 4), "data");
}

TEST(Memfd, opened_for_reading_by_another_user_cannot_be_written) {  // F26
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to become another user";
  }
  const Memfd memory = Memfd::create("test", page, Permissions(0644)).or_throw();
  const Memfd reading = Memfd::adopt(reopened(memory, O_RDONLY));
  kit::ReportedChild child("stranger", [&] {
    ASSERT_EQ(::setresuid(stranger, stranger, stranger), 0);
    const std::string link = "/proc/self/fd/" + std::to_string(reading.fd().raw());
    EXPECT_EQ(::open(link.c_str(), O_RDWR | O_CLOEXEC), -1);
    EXPECT_TRUE(reading.map(Access::read_write, Seals::none).failed_with(Errc::permission_denied));
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(Memfd, is_not_sealed_against_writing_while_somebody_may_write) {
  Memfd memory = with("data");
  {
    const Mapping writing = memory.map(Access::read_write, Seals::none).or_throw();
    const auto refused = memory.seal(Seals::write);
    ASSERT_TRUE(refused.failed_with(Errc::would_block));
    EXPECT_THAT(refused.error().message(), HasSubstr("mapped for writing"));
  }
  EXPECT_TRUE(memory.seal(Seals::write));
}

// One writer who keeps his map, and readers who can get none.
TEST(Memfd, sealed_against_future_writing_is_written_by_its_first_writer_alone) {
  Memfd memory = Memfd::create("test", page).or_throw();
  const Mapping writing = memory.map(Access::read_write, Seals::none).or_throw();
  ASSERT_TRUE(memory.seal(Seals::shrink | Seals::future_write));
  kit::ReportedChild child("reader", [&] {
    const auto refused = memory.map(Access::read_write, Seals::none);
    ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
    EXPECT_THAT(refused.error().message(), HasSubstr("it is sealed against future_write"));
    EXPECT_EQ(::pwrite(memory.fd().raw(), "x", 1, 0), -1);
    EXPECT_TRUE(memory.map(Access::read, Seals::shrink | Seals::future_write));
  });
  EXPECT_TRUE(child.finish(never));
  kit::put_text(writing, "on");
  EXPECT_EQ(kit::text_at(memory.map(Access::read, Seals::shrink).or_throw(), 2), "on");
}

TEST(Memfd, grows_while_others_have_it_mapped_until_it_is_sealed) {  // F34
  Memfd memory = with("old");
  const Mapping old = memory.map(Access::read, Seals::none).or_throw();
  ASSERT_TRUE(memory.resize(3 * page));
  const Mapping all = memory.map(Access::read_write, Seals::none).or_throw();
  EXPECT_EQ(all.size(), 3 * page);
  kit::put_text(all, "new");
  EXPECT_EQ(kit::text_at(old, 3), "new");
  EXPECT_TRUE(memory.resize(page).failed_with(Errc::invalid_argument));
  ASSERT_TRUE(memory.seal(Seals::grow));
  const auto refused = memory.resize(4 * page);
  ASSERT_TRUE(refused.failed_with(Errc::permission_denied));
  EXPECT_THAT(refused.error().message(), HasSubstr("sealed against grow"));
  EXPECT_EQ(memory.size().or_throw(), 3 * page);
}

TEST(Memfd, what_is_no_sealable_memory_is_refused) {
  const Memfd pipe = Memfd::adopt(fd_from(::open("/dev/null", O_RDWR | O_CLOEXEC), "open").or_throw());
  EXPECT_TRUE(pipe.seals().failed_with(Errc::wrong_kind));
  EXPECT_TRUE(pipe.map(Access::read, Seals::none).failed_with(Errc::wrong_kind));
  Memfd plain = Memfd::adopt(fd_from(::memfd_create("plain", MFD_CLOEXEC), "memfd_create").or_throw());
  EXPECT_TRUE(plain.seal(Seals::shrink).failed_with(Errc::permission_denied)) << "made without MFD_ALLOW_SEALING";
}

TEST(Memfd, names_the_limit_on_descriptors) {
  kit::ReportedChild child("at the limit", [] {
    const kit::DescriptorLimit none(0);
    none.expect_named_by(Memfd::create("test", page));
  });
  EXPECT_TRUE(child.finish(never));
}

TEST(Memfd, larger_than_the_machines_memory_is_an_error_and_nobody_is_killed) {  // F15
  const kit::LeakCheck check;
  const auto refused = Memfd::create("test", std::size_t{1} << 50);
  ASSERT_TRUE(refused.failed_with(Errc::no_memory));
  ASSERT_NE(refused.error().limit(), nullptr);
  EXPECT_EQ(refused.error().limit()->wanted, std::size_t{1} << 50);
}

TEST(Memfd, works_in_a_forked_child) {  // F35
  Memfd memory = Memfd::create("test", page).or_throw();
  kit::ReportedChild child("child", [&] {
    kit::put_text(memory.map(Access::read_write, Seals::none).or_throw(), "child");
    EXPECT_TRUE(memory.seal(Seals::write));
  });
  EXPECT_TRUE(child.finish(never));
  EXPECT_TRUE(has_all(memory.seals().or_throw(), Seals::write));
  EXPECT_EQ(kit::text_at(memory.map(Access::read, Seals::write).or_throw(), 5), "child");
}

TEST(Memfd, is_closed_on_exec_and_gives_its_descriptor_away) {  // F36
  Memfd memory = with("given");
  EXPECT_EQ(::fcntl(memory.fd().raw(), F_GETFD), FD_CLOEXEC);
  const Memfd adopted = Memfd::adopt(std::move(memory).into_fd());
  EXPECT_EQ(kit::text_at(adopted.map(Access::read, Seals::none).or_throw(), 5), "given");
  EXPECT_TRUE(Memfd::create("test", page).or_throw().close());
}

TEST(Memfd, of_huge_pages_that_the_pool_lacks_is_told_how_many) {
  const auto pages = huge_pages();
  if (!pages) {
    GTEST_SKIP() << pages.error().message();
  }
  const auto refused = Memfd::create("test", (pages->total + 1) * pages->page, owner_only, Pages::huge);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.failed_with(Errc::limit_reached) || ::geteuid() != 0) << refused.error().message();
  EXPECT_TRUE(Memfd::create("test", page, owner_only, Pages::huge).failed_with(Errc::invalid_argument));
}

TEST(Memfd, of_huge_pages_is_memory_like_any_other) {
  const auto pages = huge_pages();
  if (!pages || pages->free == 0) {
    GTEST_SKIP() << "needs a huge page: sysctl -w vm.nr_hugepages=1";
  }
  Memfd memory = Memfd::create("test", pages->page, owner_only, Pages::huge).or_throw();
  std::ranges::fill(memory.map(Access::read_write, Seals::none).or_throw().bytes(), std::byte{1});
  EXPECT_TRUE(memory.seal(Seals::shrink));
  EXPECT_TRUE(memory.map(Access::read, Seals::shrink));
}

}  // namespace
