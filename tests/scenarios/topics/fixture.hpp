#pragma once
/// What the tests of topics at the command line share: a domain that checks that nothing is left in it, and a type that
/// programs know.
#include <scenarios/tools/fixture.hpp>
#include <scenarios/transfer/fixture.hpp>

#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/sync/membership.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace topics {

using tools::Command;
using tools::Finished;
using tools::json;

struct Pose {
  double x;
  double y;
  float heading;
};
TENON_FIELDS(Pose, x, y, heading);

inline constexpr const char* pose_type = "Pose{f64 x, f64 y, f32 heading}";

class Topics : public testing::Test {
 protected:
  static std::unique_ptr<Command> start(const std::vector<std::string>& arguments) {
    return std::make_unique<Command>(arguments);
  }
  /// `tenon pub` of these lines, which ends by itself.
  static Finished pub(std::vector<std::string> arguments, const std::string& lines) {
    arguments.insert(arguments.begin(), "pub");
    Command command(arguments);
    command.input().write(tenon::bytes_of(lines), tenon::never).or_throw();
    command.close_input();
    return command.finish();
  }
  // Until so many endpoints of a kind ("pub.", "sub.") are in the topic.
  void until_there(const std::string& kind, std::size_t count = 1, const std::string& topic = "t") const {
    transfer::eventually([&] {
      const std::string directory = domain_.path() + "/topic." + topic;
      return (std::filesystem::exists(directory) ? names_of(directory, kind) : 0) == count;
    });
  }
  // Until so many subscribers have met every publisher of the topic: what is published then reaches them.
  void until_met(std::size_t count = 1) const {
    transfer::eventually([&] {
      const auto seen = tenon::inspect::topic(domain_.path(), "t");
      const auto met = [&](const tenon::inspect::TopicSubscriber& one) {
        return one.standings.size() == seen->topics.at(0).publishers.size();
      };
      return seen && !seen->topics.empty() &&
             static_cast<std::size_t>(std::ranges::count_if(seen->topics.at(0).subscribers, met)) == count;
    });
  }
  // As the next one would who comes to the domain.
  void TearDown() override { tenon::sweep(domain_.domain()).or_throw(); }
  static std::size_t names_of(const std::string& directory, const std::string& kind) try {
    const auto names = kit::names_in(directory);
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [&](const std::string& name) { return name.starts_with(kind); }));
  } catch (const std::exception&) {
    return 0;  // it went meanwhile
  }
  tenon::Membership join() const {
    auto domain = tenon::Domain::open(domain_.path()).or_throw();
    return tenon::Membership::join(std::make_shared<const tenon::Domain>(std::move(domain))).or_throw();
  }
  static tenon::Deadline soon() { return tenon::after(kit::patient(kit::default_limit)); }

  const kit::Watchdog watchdog_{"topics at the command line", std::chrono::seconds(100)};
  kit::UniqueDomain domain_;
};

}  // namespace topics
