#include <tenon/base/permissions.hpp>

#include <gtest/gtest.h>

namespace {

using tenon::Permissions;

TEST(Permissions, hold_every_mode_up_to_0777) {
  for (std::uint32_t mode = 0; mode <= 0777; ++mode) {
    ASSERT_EQ(Permissions(mode).mode(), mode);
  }
}

TEST(PermissionsDeathTest, refuse_set_id_and_sticky_bits) {
  for (const std::uint32_t mode : {01000U, 02000U, 04755U, 0100600U, UINT32_MAX}) {
    EXPECT_DEATH(Permissions{mode}, "broken contract: permissions have no bits beyond 0777") << mode;
  }
}

TEST(Permissions, the_default_is_for_the_owner_alone) {
  EXPECT_EQ(tenon::owner_only, Permissions(0600));
  EXPECT_NE(tenon::owner_only, tenon::owner_and_group);
}

}  // namespace
