/// A slow reader: a camera publishes to a viewer that keeps up and to a reliable archive that does not. When the
/// archive is as far behind as the ring is deep, the camera waits for it, and everybody else gets nothing new.
///
/// Reliable means that. Who would rather lose frames subscribes with `.reliable = false`, or publishes with a limit
/// of time after which the slowest is dropped.
#include "stage.hpp"

#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>

using namespace tenon;

namespace {

struct Frame {
  std::uint64_t number;
  std::uint64_t exposure;
};
TENON_FIELDS(Frame, number, exposure);

constexpr std::uint32_t depth = 64;

/// This process, entered in the domain of TENON_DOMAIN.
struct Entered {
  Domain domain = Domain::of_environment().or_throw();
  Life life = Life::join(domain).or_throw();
  Holder self = Holder::of(domain, life).or_throw();
};

void view() {
  const Entered member;
  auto frames = Subscriber<Frame>::create(member.self, "frames", {.reliable = false}).or_throw();
  while (frames.receive(never)) {
  }
}

// Its disk has stopped to answer in the middle of the first frame.
void archive() {
  const Entered member;
  auto frames = Subscriber<Frame>::create(member.self, "frames").or_throw();
  frames.receive(never).or_throw();
  while (true) {
    ::pause();
  }
}

void film() {
  const Entered member;
  auto frames = Publisher<Frame>::create(member.self, "frames", {.depth = depth}).or_throw();
  while (frames.subscribers().size() < 2) {
    ::usleep(1000);
  }
  for (std::uint64_t i = 0;; ++i) {
    frames.publish({.number = i, .exposure = 8000}, never).or_throw();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<night::Role> roles = {{"viewer", view}, {"archive", archive}, {"camera", film}};
  return night::run(argc, argv, roles, [&] {
    const Entered member;
    {
      const night::Cast cast(argv[0], roles);
      night::stand("the camera waits for the archive");
    }
    // The last who leaves takes along what the killed have left.
    const auto last = Subscriber<Frame>::create(member.self, "frames").or_throw();
    sweep(member.domain).or_throw();
  });
}
