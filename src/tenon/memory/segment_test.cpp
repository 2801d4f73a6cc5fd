#include <tenon/memory/segment.hpp>

#include <kit/leak_check.hpp>
#include <kit/patience.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/ipc/memfd/memfd.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tenon;
using testing::HasSubstr;

constexpr SegmentSize small{.bytes = 64 * 1024};
constexpr SegmentSize growing{.bytes = 64 * 1024, .most = 64 * 1024 * 1024};

// A name in /dev/shm that no other test has.
struct Named {
  Named() = default;
  ~Named() { ::unlink(path().c_str()); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  std::string path() const { return "/dev/shm" + name; }
  std::string name = "/" + kit::unique_name("segment");
};

// A byte picture of its own, to be written over.
struct Raw {
  explicit Raw(const Segment& segment)
      : memory(Mapping::of_file(segment.fd(), 64 * 1024, Access::read_write).or_throw()) {}
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(memory.data()); }
  Mapping memory;
};

// For good, so in a child; false where that cannot be, and under a sanitizer, whose mlock(2) locks nothing.
bool give_up_locking_memory() {
  if (kit::sanitizer() != kit::Sanitizer::none) {
    return false;
  }
  const rlimit none{.rlim_cur = 4096, .rlim_max = 4096};
  return ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (::geteuid() != 0 || ::setresuid(54321, 54321, 54321) == 0);
}

Fd duplicate(FdView file) { return Fd::adopt(::fcntl(file.raw(), F_DUPFD_CLOEXEC, 3)); }

TEST(Segment, carries_an_object_between_processes_that_share_only_the_name) {
  const Named named;
  kit::run_sides({{"writer",
                   [&](kit::Stage& stage) {
                     Segment segment = Segment::create(named.name, small).or_throw();
                     *segment.lock(never).or_throw().find_or_construct<int>("answer", 0).or_throw() = 42;
                     stage.signal("written");
                   }},
                  {"reader", [&](kit::Stage& stage) {
                     stage.await("written");
                     Segment segment = Segment::open(named.name).or_throw();
                     EXPECT_EQ(*segment.lock(never).or_throw().find<int>("answer").or_throw(), 42);
                   }}});
}

// F33
TEST(Segment, leads_to_the_same_objects_at_another_address) {
  Segment here = Segment::create_unnamed("twice", small).or_throw();
  Segment there = Segment::adopt(duplicate(here.fd())).or_throw();
  using List = OffsetPtr<double>;
  const void* first = nullptr;
  {
    LockedSegment locked = here.lock(never).or_throw();
    OffsetPtr<double>& list = *locked.find_or_construct<OffsetPtr<double>>("list").or_throw();
    double* const numbers = locked.allocate(list, 3).or_throw();
    numbers[2] = 2.5;
    first = &list;
  }
  LockedSegment locked = there.lock(never).or_throw();
  List& list = *locked.find<List>("list").or_throw();
  EXPECT_NE(&list, first);
  EXPECT_EQ(locked.at(list, 3).or_throw()[2], 2.5);
  EXPECT_EQ(locked.arena().offset_of(&list), locked.names().or_throw()[0].offset);
}

TEST(Segment, over_posix_memory_memfd_and_system_v_memory_is_the_same) {
  const kit::LeakCheck leaks;
  const Named named;
  const SysvKey key = SysvKey::number(static_cast<key_t>(0x54000000 | (::getpid() & 0xffffff))).or_throw();
  const OnExit<SysvKey> removed(Segment::unlink, key);
  Segment segments[] = {Segment::create(named.name, small).or_throw(),
                        Segment::create_unnamed("a label", small).or_throw(), Segment::create(key, small).or_throw()};
  for (Segment& segment : segments) {
    LockedSegment locked = segment.lock(never).or_throw();
    EXPECT_FALSE(locked.recovered());
    *locked.find_or_construct<int>("one").or_throw() = 1;
    EXPECT_EQ(locked.size(), small.bytes);
    EXPECT_EQ(segment.most(), small.bytes);
  }
  Segment opened = Segment::open(key).or_throw();
  EXPECT_EQ(*opened.lock(never).or_throw().find<int>("one").or_throw(), 1);
  EXPECT_TRUE(Segment::create(key, small).failed_with(Errc::already_exists));
  EXPECT_TRUE(segments[2].lock(never).or_throw().grow(2 * small.bytes).failed_with(Errc::not_supported));
  EXPECT_TRUE(Segment::create(SysvKey::unshared(), growing).failed_with(Errc::not_supported));
}

// F4 F7
TEST(Segment, is_made_once_by_many_who_open_or_create_it_at_once) {
  const Named named;
  std::vector<kit::Side> sides;
  for (const char* name : {"a", "b", "c", "d"}) {
    sides.push_back({name, [&](kit::Stage& stage) {
                       stage.barrier();
                       Segment segment = Segment::open_or_create(named.name, small).or_throw();
                       ++*segment.lock(never).or_throw().find_or_construct<int>("count", 0).or_throw();
                     }});
  }
  kit::run_sides(std::move(sides));
  Segment opened = Segment::open(named.name).or_throw();
  EXPECT_EQ(*opened.lock(never).or_throw().find<int>("count").or_throw(), 4);
}

// F5 F6
TEST(Segment, without_length_is_stale_and_open_or_create_makes_it_whole) {
  const Named named;
  const Fd half_made = fd_from(::open(named.path().c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  EXPECT_TRUE(Segment::open(named.name).failed_with(Errc::stale));
  Segment whole = Segment::open_or_create(named.name, small).or_throw();
  EXPECT_TRUE(whole.lock(never));
}

// F5 F22
TEST(Segment, is_not_what_has_no_magic) {
  const Named named;
  const Fd file = fd_from(::open(named.path().c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open").or_throw();
  ASSERT_EQ(::ftruncate(file.raw(), 100), 0);
  EXPECT_TRUE(Segment::open(named.name).failed_with(Errc::wrong_kind)) << "too short";
  ASSERT_EQ(::ftruncate(file.raw(), 64 * 1024), 0);
  EXPECT_TRUE(Segment::open(named.name).failed_with(Errc::wrong_kind));
  EXPECT_TRUE(Segment::open_or_create(named.name, small).failed_with(Errc::wrong_kind)) << "nobody's file is replaced";
}

// F27
TEST(Segment, of_another_layout_is_refused_naming_both) {
  const Segment segment = Segment::create_unnamed("layout", small).or_throw();
  Raw(segment).header().version = 77;
  const auto opened = Segment::adopt(duplicate(segment.fd()));
  ASSERT_TRUE(opened.failed_with(Errc::version_mismatch));
  EXPECT_THAT(opened.error().message(), HasSubstr("layout version 77, this program 1"));
}

// F28 F29
TEST(Segment, of_another_word_size_or_c_library_is_refused_naming_both) {
  const Segment segment = Segment::create_unnamed("abi", small).or_throw();
  Raw(segment).header().abi = 1 | 4 << 8 | 24 << 16;
  const auto opened = Segment::adopt(duplicate(segment.fd()));
  ASSERT_TRUE(opened.failed_with(Errc::version_mismatch));
  EXPECT_THAT(opened.error().message(), HasSubstr("32-bit with locks of 24 bytes, this program 64-bit"));
}

// F30
TEST(Segment, of_another_type_is_refused_naming_both) {
  const Named named;
  SegmentOptions options{.type = describe("acme.orders", 48, 8)};
  const Segment segment = Segment::create(named.name, small, options).or_throw();
  EXPECT_TRUE(Segment::open(named.name, options));
  EXPECT_TRUE(Segment::open(named.name)) << "who names no type takes any";
  options.type = describe("acme.prices", 16, 8);
  const auto opened = Segment::open(named.name, options);
  ASSERT_TRUE(opened.failed_with(Errc::type_mismatch));
  EXPECT_THAT(opened.error().message(), HasSubstr("acme.orders (48 bytes), not acme.prices (16 bytes"));
}

TEST(Segment, of_a_mode_that_is_not_known_yet_is_refused) {
  const Segment segment = Segment::create_unnamed("mode", small).or_throw();
  Raw(segment).header().mode = 1;
  EXPECT_TRUE(Segment::adopt(duplicate(segment.fd())).failed_with(Errc::not_supported));
}

// F19 F20 F21
TEST(Segment, is_believed_no_size_that_the_kernel_does_not_confirm) {
  Segment segment = Segment::create_unnamed("lies", growing).or_throw();
  const Raw raw(segment);
  for (const std::uint64_t size : {growing.bytes + 8192, UINT64_MAX, std::uint64_t{0}, growing.bytes - 8}) {
    raw.header().size = size;
    EXPECT_TRUE(segment.lock(never).failed_with(Errc::corrupt)) << size;
  }
  raw.header().size = growing.bytes + 8192;
  EXPECT_TRUE(Segment::adopt(duplicate(segment.fd())).failed_with(Errc::corrupt));
  raw.header().size = growing.bytes;
  for (const std::uint64_t most : {std::uint64_t{8192}, UINT64_MAX, growing.most + 1}) {
    raw.header().most = most;
    EXPECT_TRUE(Segment::adopt(duplicate(segment.fd())).failed_with(Errc::corrupt)) << most;
    EXPECT_TRUE(segment.lock(never)) << "what was checked once is not read again";
  }
}

// F22
TEST(Segment, overwritten_in_use_is_corrupt_and_ends_nobody) {
  Segment segment = Segment::create_unnamed("overwritten", small).or_throw();
  const Raw raw(segment);
  {
    LockedSegment locked = segment.lock(never).or_throw();
    ASSERT_TRUE(locked.find_or_construct<int>("one"));
    ASSERT_TRUE(locked.find_or_construct<int>("two"));
    const std::size_t from = offsetof(SegmentHeader, gap);
    std::memset(raw.memory.data() + from + sizeof(GapLayout), 0xa5, offsetof(SegmentHeader, journal) - from - 64);
    EXPECT_TRUE(locked.find<int>("one").failed_with(Errc::corrupt));
    EXPECT_TRUE(locked.find_or_construct<int>("three").failed_with(Errc::corrupt));
    EXPECT_TRUE(locked.names().failed_with(Errc::corrupt));
    EXPECT_TRUE(locked.check().failed_with(Errc::corrupt));
  }
  raw.header().journal.count = 9999;
  EXPECT_TRUE(segment.lock(never).failed_with(Errc::corrupt));
}

// F17
TEST(Segment, truncated_by_a_peer_is_told) {
  const Named named;
  Segment segment = Segment::create(named.name, small).or_throw();
  EXPECT_TRUE(segment.still_there());
  ASSERT_EQ(::truncate(named.path().c_str(), 20000), 0);
  EXPECT_TRUE(segment.still_there().failed_with(Errc::corrupt));
  EXPECT_TRUE(Segment::open(named.name).failed_with(Errc::corrupt));
}

// F10 F11
TEST(Segment, whose_name_was_removed_or_made_again_is_told_apart) {
  const Named named;
  const Segment old = Segment::create(named.name, small).or_throw();
  ASSERT_TRUE(Segment::unlink(named.name));
  EXPECT_TRUE(old.still_there().failed_with(Errc::not_found));
  const Segment other = Segment::create(named.name, small).or_throw();
  EXPECT_TRUE(old.still_there().failed_with(Errc::not_found));
  EXPECT_TRUE(other.still_there());
  EXPECT_TRUE(Segment::create_unnamed("label", small).or_throw().still_there()) << "it never had a name";
}

// F34
TEST(Segment, grows_while_others_use_it_whose_pointers_stay_good) {
  const Named named;
  Segment mine = Segment::create(named.name, growing).or_throw();
  Segment theirs = Segment::open(named.name).or_throw();
  LockedSegment before = theirs.lock(never).or_throw();
  int* const number = before.find_or_construct<int>("number", 5).or_throw();
  std::move(before).unlock();
  {
    LockedSegment locked = mine.lock(never).or_throw();
    ASSERT_TRUE(locked.grow(1024 * 1024));
    EXPECT_EQ(locked.size(), 1024U * 1024);
    ASSERT_TRUE(locked.grow(4096)) << "nothing to do";
    auto& block = *locked.find_or_construct<OffsetPtr<char>>("block").or_throw();
    std::memset(locked.allocate(block, 900000).or_throw(), 'x', 900000);
    EXPECT_TRUE(locked.check());
  }
  LockedSegment after = theirs.lock(never).or_throw();
  EXPECT_EQ(after.size(), 1024U * 1024);
  EXPECT_EQ(after.find<int>("number").or_throw(), number) << "the same address as before";
  EXPECT_EQ(*number, 5);
  const auto& block = *after.find<OffsetPtr<char>>("block").or_throw();
  EXPECT_EQ(after.at(block, 900000).or_throw()[899999], 'x') << "what lies beyond the first size is there";
}

// F34
TEST(Segment, grows_by_itself_up_to_its_most_and_says_no_space_then) {
  Segment segment = Segment::create_unnamed("grows", {.bytes = 64 * 1024, .most = 512 * 1024}).or_throw();
  LockedSegment locked = segment.lock(never).or_throw();
  auto& block = *locked.find_or_construct<OffsetPtr<char>>("block").or_throw();
  ASSERT_TRUE(locked.allocate(block, 300000));
  EXPECT_GE(locked.size(), 300000U);
  auto& other = *locked.find_or_construct<OffsetPtr<char>>("other").or_throw();
  EXPECT_TRUE(locked.allocate(other, 300000).failed_with(Errc::no_space));
  EXPECT_FALSE(other);
  const std::uint64_t before = locked.size();
  EXPECT_TRUE(locked.allocate(other, 600000).failed_with(Errc::no_space));
  EXPECT_EQ(locked.size(), before) << "it does not grow for what could not fit";
  EXPECT_TRUE(locked.grow(512 * 1024 + 1).failed_with(Errc::limit_reached));
  EXPECT_TRUE(locked.check());
}

// F15
TEST(Segment, in_a_full_dev_shm_is_an_error_and_stays_as_it_was) {
  kit::in_private_namespaces([] {
    if (::mount("tenon", "/dev/shm", "tmpfs", 0, "size=512k") != 0) {
      GTEST_SKIP() << "no tmpfs can be mounted here";
    }
    Segment segment = Segment::create("/full", {.bytes = 128 * 1024, .most = 16 << 20}).or_throw();
    EXPECT_TRUE(Segment::create("/other", {.bytes = 1 << 20}).failed_with(Errc::no_space));
    LockedSegment locked = segment.lock(never).or_throw();
    EXPECT_TRUE(locked.grow(1 << 20).failed_with(Errc::no_space));
    EXPECT_EQ(locked.size(), 128U * 1024);
    auto& block = *locked.find_or_construct<OffsetPtr<char>>("block").or_throw();
    EXPECT_TRUE(locked.allocate(block, 1 << 20).failed_with(Errc::no_space));
    ASSERT_TRUE(locked.allocate(block, 200000)) << "what there is can be had";
    std::memset(locked.at(block, 200000).or_throw(), 'x', 200000);
    EXPECT_TRUE(locked.check());
  });
}

// F15
TEST(Segment, that_cannot_be_twice_as_long_becomes_as_long_as_it_has_to) {
  kit::in_private_namespaces([] {
    if (::mount("tenon", "/dev/shm", "tmpfs", 0, "size=512k") != 0) {
      GTEST_SKIP() << "no tmpfs can be mounted here";
    }
    Segment segment = Segment::create("/full", {.bytes = 320 * 1024, .most = 16 << 20}).or_throw();
    LockedSegment locked = segment.lock(never).or_throw();
    auto& first = *locked.find_or_construct<OffsetPtr<char>>("first").or_throw();
    auto& second = *locked.find_or_construct<OffsetPtr<char>>("second").or_throw();
    ASSERT_TRUE(locked.allocate(first, 300'000));
    ASSERT_TRUE(locked.allocate(second, 100'000));
    EXPECT_LT(locked.size(), 512U * 1024);
    EXPECT_TRUE(locked.check());
  });
}

TEST(Segment, refuses_sizes_that_none_has) {
  EXPECT_TRUE(Segment::create_unnamed("none", {.bytes = 0}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(Segment::create_unnamed("less", {.bytes = 16383}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(
      Segment::create_unnamed("more", {.bytes = 1 << 20, .most = UINT64_MAX}).failed_with(Errc::invalid_argument));
  EXPECT_TRUE(Segment::create("/huge", small, {.pages = Pages::huge}).failed_with(Errc::not_supported));
}

TEST(Segment, is_populated_and_locked_in_memory_on_request) {
  const SegmentMap map{.populated = true, .locked = true};
  Segment segment = Segment::create_unnamed("populated", small, {.map = map}).or_throw();
  LockedSegment locked = segment.lock(never).or_throw();
  std::vector<unsigned char> resident(small.bytes / 4096);
  ASSERT_EQ(::mincore(locked.arena().base(), small.bytes, resident.data()), 0);
  EXPECT_THAT(resident, testing::Each(testing::Eq(1)));
}

TEST(Segment, that_may_not_be_locked_in_memory_names_the_limit) {
  kit::ReportedChild child("limited", [] {
    if (!give_up_locking_memory()) {
      GTEST_SKIP() << "the right to lock memory cannot be given up here";
    }
    const auto refused = Segment::create_unnamed("locked", small, {.map = {.populated = false, .locked = true}});
    ASSERT_TRUE(refused.failed_with(Errc::limit_reached));
    EXPECT_EQ(refused.error().limit()->name, "RLIMIT_MEMLOCK");
  });
  EXPECT_TRUE(child.finish(never));
}

// F14
TEST(Segment, that_its_creator_cannot_use_leaves_nothing_behind) {
  const Named named;
  const SysvKey key = SysvKey::number(static_cast<key_t>(0x55000000 | (::getpid() & 0xffffff))).or_throw();
  kit::ReportedChild child("limited", [&] {
    if (!give_up_locking_memory()) {
      GTEST_SKIP() << "the right to lock memory cannot be given up here";
    }
    const SegmentOptions in_memory{.map = {.populated = false, .locked = true}};
    EXPECT_TRUE(Segment::create(named.name, small, in_memory).failed_with(Errc::limit_reached));
    EXPECT_TRUE(Segment::open(named.name).failed_with(Errc::not_found));
    EXPECT_TRUE(Segment::create(key, small, in_memory).failed_with(Errc::limit_reached));
    EXPECT_TRUE(Segment::unlink(key).failed_with(Errc::not_found));
  });
  EXPECT_TRUE(child.finish(never));
}

// F37
TEST(Segment, is_had_by_the_next_when_its_holder_dies_who_is_told) {
  const Named named;
  Segment segment = Segment::create(named.name, small).or_throw();
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       LockedSegment locked = segment.lock(never).or_throw();
                       ASSERT_TRUE(locked.find_or_construct<int>("number", 7));
                       locked.journal().put(*reinterpret_cast<std::uint64_t*>(locked.arena().base() + 16384), 1);
                       stage.signal("held");
                       stage.await("never");
                     }}});
  sides.stage().await("held");
  EXPECT_TRUE(segment.try_lock().failed_with(Errc::would_block));
  EXPECT_TRUE(segment.lock(after(5ms)).failed_with(Errc::timed_out));
  sides.side("holder").kill();
  {
    LockedSegment locked = segment.lock(after(10s)).or_throw();
    EXPECT_TRUE(locked.recovered());
    EXPECT_EQ(*locked.find<int>("number").or_throw(), 7) << "what was done is done";
    EXPECT_EQ(*reinterpret_cast<std::uint64_t*>(locked.arena().base() + 16384), 0U) << "what was not is undone";
  }
  EXPECT_FALSE(segment.lock(never).or_throw().recovered()) << "it is told once";
}

// F38
TEST(Segment, whose_journal_cannot_be_undone_is_not_recoverable_to_all) {
  Segment segment = Segment::create_unnamed("lost", small).or_throw();
  kit::Sides sides({{"holder", [&](kit::Stage& stage) {
                       const LockedSegment locked = segment.lock(never).or_throw();
                       Raw(segment).header().journal.count = 100000;
                       stage.signal("held");
                       stage.await("never");
                     }}});
  sides.stage().await("held");
  sides.side("holder").kill();
  EXPECT_TRUE(segment.lock(never).failed_with(Errc::corrupt));
  EXPECT_TRUE(segment.lock(never).failed_with(Errc::not_recoverable));
}

// F35
TEST(Segment, works_in_a_forked_child) {
  Segment segment = Segment::create_unnamed("forked", growing).or_throw();
  kit::ReportedChild child("child", [&] {
    LockedSegment locked = segment.lock(never).or_throw();
    ASSERT_TRUE(locked.grow(1 << 20));
    ASSERT_TRUE(locked.find_or_construct<int>("from the child", 3));
  });
  EXPECT_TRUE(child.finish(never));
  LockedSegment locked = segment.lock(never).or_throw();
  EXPECT_FALSE(locked.recovered());
  EXPECT_EQ(*locked.find<int>("from the child").or_throw(), 3);
}

}  // namespace
