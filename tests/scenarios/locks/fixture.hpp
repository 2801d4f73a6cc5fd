#pragma once
/// What the tests of the lock order share: a domain of its own, and locks in memory that children share.
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>
#include <tenon/os/process.hpp>
#include <tenon/sync/condition.hpp>
#include <tenon/sync/lock_order.hpp>
#include <tenon/sync/mutex.hpp>
#include <tenon/sync/rw_lock.hpp>

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace locks {

using namespace tenon;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// The domain of a test. Checked processes that are killed, or leave by _exit, leave their life files there.
class LockScene {
 public:
  LockScene() { domain_.directory().allow_leftovers(); }
  const kit::UniqueDomain& domain() const noexcept { return domain_; }

 private:
  kit::UniqueDomain domain_;
};

/// In a process of its own, to its end; what fails there fails the test.
inline void in_a_process(const std::function<void()>& body) {
  kit::run_sides({{"process", [&](kit::Stage&) { body(); }}});
}

struct TwoMutexes {
  Mutex a;
  Mutex b;
};

}  // namespace locks
