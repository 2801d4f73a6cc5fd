#pragma once
/// What the tests of queues and services at the command line share.
#include <scenarios/tools/fixture.hpp>
#include <scenarios/transfer/fixture.hpp>

#include <tenon/os/life_sweep.hpp>
#include <tenon/sync/membership.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace queues {

using tools::Command;
using tools::Finished;
using tools::json;

class AtTheCommandLine : public testing::Test {
 protected:
  static std::unique_ptr<Command> start(const std::vector<std::string>& arguments) {
    return std::make_unique<Command>(arguments);
  }
  // Its exit code, and at most one line of what went wrong.
  static Finished told(const std::vector<std::string>& arguments, int code) {
    Finished finished = tools::run(arguments);
    EXPECT_EQ(finished.status, tenon::ExitStatus::exited(code)) << arguments.at(0) << ": " << finished.errors;
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), code == 0 ? 0 : 1) << finished.errors;
    return finished;
  }
  tenon::Membership join() const {
    auto domain = tenon::Domain::open(domain_.path()).or_throw();
    return tenon::Membership::join(std::make_shared<const tenon::Domain>(std::move(domain))).or_throw();
  }
  // As the next one would who comes to the domain.
  void TearDown() override { tenon::sweep(domain_.domain()).or_throw(); }
  static tenon::Deadline soon() { return tenon::after(kit::patient(kit::default_limit)); }

  const kit::Watchdog watchdog_{"queues at the command line", std::chrono::seconds(100)};
  kit::UniqueDomain domain_;
};

}  // namespace queues
