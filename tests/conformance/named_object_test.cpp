/// What every object at a name owes: exactly the permissions asked for, one maker, and nothing half-made left behind.
#include "named_kinds.hpp"

#include <kit/descriptor_limit.hpp>
#include <kit/reported_child.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

using conformance::NamedKind;
using tenon::Errc;
using tenon::never;
using tenon::owner_only;
using tenon::Permissions;

class EveryNamedObject : public testing::TestWithParam<NamedKind> {
 protected:
  const NamedKind& kind() { return GetParam(); }
  std::string fresh_name() { return kind().name(directory_); }
  std::vector<std::string> names_left() { return kit::names_in(directory_.path()); }

 private:
  kit::UniqueDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(All, EveryNamedObject, testing::ValuesIn(conformance::all_named_kinds()),
                         [](const auto& one) { return one.param.kind; });

// Those whose handle is a descriptor; a System V object has none.
class EveryNamedDescriptor : public EveryNamedObject {};

std::vector<NamedKind> with_descriptors() {
  std::vector<NamedKind> kinds = conformance::all_named_kinds();
  std::erase_if(kinds, [](const NamedKind& kind) { return !kind.takes_descriptor; });
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(All, EveryNamedDescriptor, testing::ValuesIn(with_descriptors()),
                         [](const auto& one) { return one.param.kind; });

// F13
TEST_P(EveryNamedObject, has_exactly_the_mode_asked_for_whatever_the_umask) {
  kit::ReportedChild child("creator", [&] {
    for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const std::uint32_t mode : kind().modes) {
        const std::string name = fresh_name();
        EXPECT_EQ(kind().create(name, Permissions(mode)).or_throw().mode, mode) << "umask " << mask;
        EXPECT_TRUE(kind().unlink(name));
      }
      EXPECT_EQ(::umask(mask), mask) << "the process's umask is its own";
      if (kind().open_or_create) {
        const std::string name = fresh_name();
        EXPECT_EQ(kind().open_or_create(name).or_throw().mode, 0600U);
        EXPECT_TRUE(kind().unlink(name));
      }
    }
  });
  EXPECT_TRUE(child.finish(never));
}

// F4
TEST_P(EveryNamedObject, is_created_by_exactly_one_of_many_who_race) {
  std::vector<std::string> names(30);
  std::ranges::generate(names, [&] { return fresh_name(); });
  const kit::Shared<std::atomic<std::size_t>> winners;
  auto race = [&](kit::Stage& stage) {
    for (const std::string& name : names) {
      stage.barrier();
      const auto created = kind().create(name, owner_only);
      *winners += created ? 1 : 0;
      EXPECT_TRUE(created || created.failed_with(Errc::already_exists)) << created.error().message();
      if (kind().open_or_create) {
        EXPECT_TRUE(kind().open_or_create(name)) << "whoever lost opens what the other made";
      }
      stage.barrier();  // until then nobody goes: whoever finds a socket of the dead takes its place
    }
  };
  kit::run_sides({{"a", race}, {"b", race}, {"c", race}, {"d", race}});
  EXPECT_EQ(*winners, names.size());
  for (const std::string& name : names) {
    EXPECT_TRUE(kind().unlink(name));
  }
}

// F14
TEST_P(EveryNamedDescriptor, leaves_nothing_behind_at_the_limit_on_descriptors_and_names_it) {
  kit::ReportedChild child("at the limit", [&] {
    const std::string name = fresh_name();
    {
      const kit::DescriptorLimit limit(0);
      limit.expect_named_by(kind().create(name, owner_only));
      if (kind().open_or_create) {
        limit.expect_named_by(kind().open_or_create(name));
      }
    }
    EXPECT_TRUE(names_left().empty());
    EXPECT_TRUE(kind().create(name, owner_only)) << "its name is free";
    EXPECT_TRUE(kind().unlink(name));
  });
  EXPECT_TRUE(child.finish(never));
}

}  // namespace
