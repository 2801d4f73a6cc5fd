// F64: whoever crashes and comes again, however often, leaves nothing.
#include "crowd.hpp"
#include "membership.hpp"
#include "message.hpp"
#include "random.hpp"
#include <kit/scratch_domain.hpp>

#include <kit/unique.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace soak {

namespace {

using tenon::Publisher;
using tenon::Subscriber;

constexpr const char* topic = "crashes";
// So many crash beside the same publisher and subscriber.
constexpr std::uint64_t generation = 250;

/// What must be as it was.
struct Holdings {
  std::size_t names = 0;
  std::uint64_t bytes = 0;
  std::size_t descriptors = 0;
  std::size_t maps = 0;
  friend bool operator==(const Holdings&, const Holdings&) = default;
};

Holdings holdings(const std::string& domain) {
  Holdings found{.descriptors = open_descriptors()};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(domain)) {
    struct stat status{};
    ++found.names;
    found.bytes += ::lstat(entry.path().c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    found.maps += line.find(domain) != std::string::npos ? 1 : 0;
  }
  return found;
}

void print(const char* when, const Holdings& of) {
  std::printf("%-34s %6zu names %9llu bytes %4zu descriptors %4zu maps\n", when, of.names,
              static_cast<unsigned long long>(of.bytes), of.descriptors, of.maps);
}

// Joins as both, publishes, receives, holds and lends until it is killed.
int live(const tenon::Domain& domain, std::uint64_t seed) {
  Random random(seed);
  const Membership self(domain);
  auto publisher = Publisher<Frame>::create(self.holder, topic, {.depth = 4}).or_throw();
  auto subscriber = Subscriber<Frame>::create(self.holder, topic, {.reliable = random.rarely(1)}).or_throw();
  std::optional<tenon::Sample<Frame>> held;
  std::optional<tenon::Loan<Frame>> lent;
  while (true) {
    if (auto loan = publisher.loan(); loan && random.rarely(1)) {
      write(loan->operator*().words, 1, publisher.published());
      [[maybe_unused]] const auto published = publisher.publish(std::move(*loan), tenon::immediately);
    } else if (loan) {
      lent = std::move(*loan);
    }
    if (auto sample = subscriber.try_receive()) {
      held = std::move(*sample);
    }
  }
}

class Crashes {
 public:
  explicit Crashes(std::uint64_t seed) : random_(seed) {}

  // Beside a publisher and a subscriber that stay. Returns what there is when the last has crashed, and they know.
  Holdings run(const tenon::Domain& domain, std::uint64_t count) {
    const Membership self(domain);
    auto publisher = Publisher<Frame>::create(self.holder, topic, {.depth = 4, .held = 64}).or_throw();
    auto subscriber = Subscriber<Frame>::create(self.holder, topic).or_throw();
    for (std::uint64_t i = 0; i < count; ++i) {
      tenon::Child child = tenon::spawn([&, seed = random_.next()] { return live(domain, seed); }).or_throw();
      Frame frame;
      write(frame.words, 0, publisher.published());
      [[maybe_unused]] const auto published = publisher.try_publish(frame);  // or it waits for who was just killed
      ::usleep(static_cast<useconds_t>(random_.below(2500)));
      child.signal(SIGKILL).or_throw();
      crashed_ += child.wait(tenon::never).or_throw().signal() == SIGKILL ? 1 : 0;
      receive(subscriber, 100);
    }
    receive_until_alone(subscriber);
    tenon::sweep(domain).or_throw();
    Subscriber<Frame>::create(self.holder, topic).or_throw();  // who comes takes the dead away
    return holdings(domain.path());
  }

  std::uint64_t crashed() const noexcept { return crashed_; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t deaths_told() const noexcept { return deaths_told_; }
  std::uint64_t torn() const noexcept { return torn_; }

 private:
  void receive(Subscriber<Frame>& subscriber, int looks) {
    for (int i = 0; i < looks; ++i) {
      const auto sample = subscriber.try_receive();
      received_ += sample ? 1 : 0;
      torn_ += sample && !is_whole((*sample)->words) ? 1 : 0;
      deaths_told_ += sample.failed_with(tenon::Errc::peer_died) ? 1 : 0;
    }
  }
  void receive_until_alone(Subscriber<Frame>& subscriber) {
    bool is_alone = false;
    while (!is_alone) {
      const auto sample = subscriber.receive(tenon::after(std::chrono::milliseconds(60)));
      received_ += sample ? 1 : 0;
      deaths_told_ += sample.failed_with(tenon::Errc::peer_died) ? 1 : 0;
      is_alone = sample.failed_with(tenon::Errc::timed_out) && subscriber.publishers() == 1;
    }
  }

  Random random_;
  std::uint64_t crashed_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t deaths_told_ = 0;
  std::uint64_t torn_ = 0;
};

}  // namespace

bool run_cycles(std::uint64_t cycles, std::uint64_t seed) {
  const kit::ScratchDomain domain("soak");
  Crashes crashes(seed);
  const Holdings at_first = holdings(domain.path());
  const Holdings with_two = crashes.run(*domain, 0);
  bool right = true;
  for (std::uint64_t done = 0; done < cycles; done += generation) {
    const Holdings after_crashes = crashes.run(*domain, std::min(generation, cycles - done));
    const Holdings at_last = holdings(domain.path());
    // Rows that a subscriber has added for many publishers at once stay until it leaves.
    right = right && after_crashes.names == with_two.names && after_crashes.descriptors == with_two.descriptors &&
            at_last == at_first;
    if (!right || done + generation >= cycles) {
      print("at first", at_first);
      print("with a publisher and a subscriber", with_two);
      print("after the crashes beside them", after_crashes);
      print("at last", at_last);
    }
    if (!right) {
      break;
    }
  }
  std::printf("%llu crashed and restarted, %llu messages received, %llu torn, %llu deaths told: %s\n",
              static_cast<unsigned long long>(crashes.crashed()), static_cast<unsigned long long>(crashes.received()),
              static_cast<unsigned long long>(crashes.torn()), static_cast<unsigned long long>(crashes.deaths_told()),
              right ? "all is as it was" : "NOT AS IT WAS");
  return right && crashes.torn() == 0 && crashes.crashed() == cycles && crashes.deaths_told() > 0;
}

}  // namespace soak
