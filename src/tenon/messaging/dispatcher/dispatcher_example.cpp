/// One thread hears two topics: a function takes what a robot says of its battery, a coroutine follows where it goes.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/dispatcher/dispatcher.hpp>
#include <tenon/messaging/dispatcher/task.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

struct Pose {
  double x;
  double y;
};
TENON_FIELDS(Pose, x, y);

struct Battery {
  int percent;
};
TENON_FIELDS(Battery, percent);

// What comes later stands below what comes before, though others are served in between.
Task follow(Dispatcher& dispatcher, Subscriber<Pose>& poses) {
  auto pose = co_await dispatcher.next(poses);
  const double start = pose ? (*pose)->x : 0;
  while (pose) {
    std::printf("moved by %.1f\n", (*pose)->x - start);
    pose = co_await dispatcher.next(poses);
  }
  std::printf("the robot has gone: %s\n", std::string(name_of(pose.error().code())).c_str());
  dispatcher.finish();
}

int robot(const Domain& domain) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto battery = Publisher<Battery>::create(self, "battery").or_throw();
  auto poses = Publisher<Pose>::create(self, "pose").or_throw();
  battery.publish({.percent = 80}, never).or_throw();
  for (const double x : {1.0, 1.5, 3.0}) {
    poses.publish({.x = x, .y = 0}, never).or_throw();
    ::usleep(20'000);
  }
  std::move(battery).close().or_throw();
  ::usleep(20'000);
  std::move(poses).close().or_throw();
  return 0;
}

void listen(const Domain& domain) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto batteries = Subscriber<Battery>::create(self, "battery").or_throw();
  auto poses = Subscriber<Pose>::create(self, "pose").or_throw();
  auto dispatcher = Dispatcher::create().or_throw();
  const Watch watch = dispatcher
                          .on_message(batteries,
                                      [](Result<Sample<Battery>> battery) {
                                        if (battery) {
                                          std::printf("battery %d%%\n", (*battery)->percent);
                                        }
                                      })
                          .or_throw();
  Child child = spawn([&] { return robot(domain); }).or_throw();
  const Task task = follow(dispatcher, poses);
  dispatcher.run(never).or_throw();
  task.rethrow();
  child.wait(never).or_throw();
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-example-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  listen(domain);
  sweep(domain).or_throw();
  ::rmdir(path.c_str());
  return 0;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
