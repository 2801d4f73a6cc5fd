/// A camera sends frames of 4 MiB, which nobody copies, to three viewers. One is killed with a frame in its hands and
/// started again; the camera and the other two do not notice.
#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

using namespace tenon;

namespace {

struct Frame {
  std::uint32_t number;
  std::uint32_t width;
  std::uint32_t height;
  std::array<std::uint32_t, 1024 * 1024> pixels;
};
TENON_FIELDS(Frame, number, width, height, pixels);

constexpr std::uint32_t frames = 60;
constexpr std::uint32_t killed_at = 20;
constexpr std::uint32_t again_from = 40;
constexpr std::uint32_t nobody_is_killed = frames;

// Each frame has a shade of its own.
constexpr std::uint32_t shade_of(std::uint32_t number) { return number * 0x010203; }

// Returns how many frames it saw, or -1 if one was not as it must be.
int watch(const Domain& domain, std::uint32_t dies_at) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto camera = Subscriber<Frame>::create(self, "camera", {.max_held = 1}).or_throw();
  int seen = 0;
  for (auto frame = camera.receive(never); frame; frame = camera.receive(never)) {
    const std::uint32_t number = (*frame)->number;
    if (std::ranges::count((*frame)->pixels, shade_of(number)) != 1024 * 1024 || frame->lost_before() != 0) {
      return -1;
    }
    ++seen;
    if (number == dies_at) {
      ::raise(SIGKILL);
    }
    frame->release();  // before the next is received, of which it may hold one
  }
  return seen;
}

void film(Publisher<Frame>& camera, std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t number = from; number < to; ++number) {
    auto frame = camera.loan().or_throw();  // written where the viewers read it
    frame->number = number;
    frame->width = frame->height = 1024;
    frame->pixels.fill(shade_of(number));
    camera.publish(std::move(frame), never).or_throw();
  }
}

// Until it has joined: what is published from then on, it sees.
void await(Publisher<Frame>& camera, const Child& viewer) {
  const auto is_it = [&](const SubscriberStanding& subscriber) { return subscriber.pid == viewer.pid(); };
  while (std::ranges::none_of(camera.subscribers(), is_it)) {
    ::usleep(1000);
  }
}

bool tell(const char* who, Child& viewer, int expected) {
  const ExitStatus ended = viewer.wait(never).or_throw();
  std::printf("%s: saw %d frames\n", who, ended.code());
  return ended.code() == expected;
}

bool run(const Domain& domain) {
  const Life life = Life::join(domain).or_throw();
  const Holder self = Holder::of(domain, life).or_throw();
  auto camera = Publisher<Frame>::create(self, "camera", {.depth = 4, .max_loans = 1, .held = 4}).or_throw();
  Child first = spawn([&] { return watch(domain, nobody_is_killed); }).or_throw();
  Child second = spawn([&] { return watch(domain, nobody_is_killed); }).or_throw();
  Child third = spawn([&] { return watch(domain, killed_at); }).or_throw();
  for (const Child* viewer : {&first, &second, &third}) {
    await(camera, *viewer);
  }
  film(camera, 0, again_from);
  std::printf("the third viewer was %s\n", third.wait(never).or_throw().message().c_str());
  Child again = spawn([&] { return watch(domain, nobody_is_killed); }).or_throw();
  await(camera, again);
  film(camera, again_from, frames);
  std::move(camera).close().or_throw();
  const bool first_saw_all = tell("the first", first, frames);
  const bool second_saw_all = tell("the second", second, frames);
  const bool third_saw_the_rest = tell("the third, again", again, frames - again_from);
  return first_saw_all && second_saw_all && third_saw_the_rest;
}

}  // namespace

int main() try {
  const std::string path = "/dev/shm/tenon-camera-" + std::to_string(::getpid());
  const Domain domain = Domain::open(path).or_throw();
  const bool right = run(domain);
  sweep(domain).or_throw();
  ::rmdir(path.c_str());
  return right ? 0 : 1;
} catch (const Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
