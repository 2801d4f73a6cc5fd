#include <topic/idle.hpp>

#include <tenon/os/futex.hpp>
#include <tenon/os/mapping.hpp>
#include <tenon/os/process.hpp>
#include <topic/ends.hpp>

#include <ctime>
#include <functional>
#include <new>

namespace topics {

using tenon::Result;

namespace {

struct Shared {
  std::array<std::byte, start_bytes> start;
  double subscriber;
  double bare;
  std::atomic<std::uint32_t> word;
};

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The part of a processor that this process uses in `wait`.
double used_by(const std::function<void()>& wait) {
  const std::int64_t from = tenon::monotonic_now();
  const double used = processor_seconds();
  wait();
  return (processor_seconds() - used) / (1e-9 * static_cast<double>(tenon::monotonic_now() - from));
}

int be_subscriber(Shared& shared, tenon::Waiting waiting, std::chrono::nanoseconds time) {
  const Member self(shared.start);
  auto subscriber = tenon::Subscriber<Bytes64>::create(self.holder(), topic_name, {.waiting = waiting}).or_throw();
  if (subscriber.publishers() != 1) {
    return 1;  // it would wait for nobody
  }
  shared.subscriber = used_by([&] { (void)subscriber.receive(tenon::after(time)); });
  return 0;
}

int be_bare(Shared& shared, std::chrono::nanoseconds time) {
  shared.bare = used_by([&] {
    const tenon::Deadline end = tenon::after(time);
    while (tenon::futex_wait(shared.word, 0, end)) {
    }
  });
  return 0;
}

Result<void> succeeded(tenon::Child& child) {
  return child.wait(tenon::never).and_then([](const tenon::ExitStatus& status) {
    return status.code() == 0 ? Result<void>()
                              : tenon::fail(tenon::Error(tenon::Errc::aborted).because(status.message()));
  });
}

}  // namespace

Result<Idleness> measure_idleness(tenon::Waiting waiting, std::chrono::nanoseconds time) {
  auto memory = tenon::Mapping::shared_with_children(sizeof(Shared));
  if (!memory) {
    return tenon::fail(std::move(memory.error()));
  }
  auto& shared = *new (memory->data()) Shared{};
  new_domain(shared.start);
  const Member self(shared.start);
  auto publisher = tenon::Publisher<Bytes64>::create(self.holder(), topic_name);
  if (!publisher) {
    return tenon::fail(std::move(publisher.error()));
  }
  auto waits = tenon::spawn([&] { return be_subscriber(shared, waiting, time); });
  auto bare = tenon::spawn([&] { return be_bare(shared, time); });
  for (auto* child : {&waits, &bare}) {
    if (!*child) {
      return tenon::fail(std::move(child->error()));
    }
    if (auto ended = succeeded(**child); !ended) {
      return tenon::fail(std::move(ended.error()));
    }
  }
  return Idleness{.subscriber = shared.subscriber, .bare = shared.bare};
}

}  // namespace topics
