#pragma once
/// What an ordinary user sees.
#include <kit/patience.hpp>
#include <kit/reported_child.hpp>

#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace stuck {

/// Runs `body` in a child as the user nobody, whose own processes it may look at; `before` is run first, while it is
/// still root. Skips the test where that cannot be.
inline void as_nobody(const std::function<void()>& before, const std::function<void()>& body) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become another user";
  }
  const passwd* nobody = ::getpwnam("nobody");
  if (nobody == nullptr) {
    GTEST_SKIP() << "there is no user nobody";
  }
  kit::ReportedChild child("as nobody", [&] {
    before();
    ASSERT_EQ(::setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid), 0);
    ASSERT_EQ(::setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid), 0);
    ::prctl(PR_SET_DUMPABLE, 1);
    if (::access(TENON_PROGRAM, X_OK) != 0) {
      GTEST_SKIP() << "nobody may not run " << TENON_PROGRAM;
    }
    body();
  });
  EXPECT_TRUE(child.finish(tenon::after(kit::patient(std::chrono::seconds(18)))));
}

}  // namespace stuck
