#include <tenon/inspect/kind.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tenon;
using testing::HasSubstr;

TEST(InspectKind, each_is_found_by_its_name) {
  for (const inspect::Kind kind : inspect::all_kinds()) {
    EXPECT_EQ(inspect::kind_of(inspect::name_of(kind)).or_throw(), kind);
  }
}

TEST(InspectKind, a_name_that_is_none_is_told_with_all_that_are) {
  const auto none = inspect::kind_of("posix-queue");
  ASSERT_TRUE(none.failed_with(Errc::invalid_argument));
  for (const inspect::Kind kind : inspect::all_kinds()) {
    EXPECT_THAT(none.error().message(), HasSubstr(std::string(inspect::name_of(kind))));
  }
}

}  // namespace
