/// A robot tells where it is; two others listen. One is killed, and nobody else notices.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

struct Pose {
  double x;
  double y;
  float heading;
};
TENON_FIELDS(Pose, x, y, heading);

constexpr int poses = 1000;

int listen(const Domain& domain, bool is_killed) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto subscriber = Subscriber<Pose>::create(self, "pose").or_throw();
  int received = 0;
  auto pose = subscriber.receive(never);
  for (; pose; pose = subscriber.receive(never)) {
    ++received;
    if (is_killed && received == poses / 2) {
      ::raise(SIGKILL);
    }
  }
  std::printf("received %d poses, lost %d, then: %s\n", received, static_cast<int>(subscriber.lost()),
              std::string(name_of(pose.error().code())).c_str());
  return received == poses ? 0 : 1;
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-example-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  int code = 1;
  {
    const Life life = Life::join(domain).or_throw();
    const Holder self = Holder::of(domain, life).or_throw();
    auto publisher = Publisher<Pose>::create(self, "pose").or_throw();
    Child viewer = spawn([&] { return listen(domain, false); }).or_throw();
    Child victim = spawn([&] { return listen(domain, true); }).or_throw();
    while (publisher.subscribers().size() < 2) {
      ::usleep(1000);
    }
    for (int i = 0; i < poses; ++i) {
      publisher.publish({.x = 0.1 * i, .y = 0, .heading = 90}, never).or_throw();
    }
    // Before the last one leaves, which takes along what the dead have left.
    const std::string end = victim.wait(never).or_throw().message();
    std::move(publisher).close().or_throw();
    code = viewer.wait(never).or_throw().code();
    std::printf("the other was %s\n", end.c_str());
  }
  sweep(domain).or_throw();
  ::rmdir(path.c_str());
  return code;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
