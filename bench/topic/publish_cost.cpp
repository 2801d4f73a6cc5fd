#include <topic/publish_cost.hpp>

#include <tenon/base/cache_line.hpp>
#include <tenon/os/clock.hpp>
#include <limits/stepping_side.hpp>
#include <topic/ends.hpp>

#include <algorithm>
#include <atomic>

namespace topics {

using harness::Subject;
using tenon::MutableBytes;

namespace {

constexpr tenon::PublisherOptions plain{.depth = 1024, .timestamps = tenon::Timestamps::none};
// Half of the depth: nobody is ever waited for, and each second run has a look at all cursors.
constexpr std::uint64_t run_length = 512;

using Subscribers = std::vector<tenon::Subscriber<Bytes40>>;

Subscribers subscribe(const Member& self, std::size_t count, const tenon::SubscriberOptions& options) {
  Subscribers all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(tenon::Subscriber<Bytes40>::create(self.holder(), topic_name, options).or_throw());
  }
  return all;
}

// Two lines behind the number of the start: how far the publisher has come, and how far all the others.
//   S1  store-release (published) → load-acquire (the drainer): so many are there.
//   S2  store-release (drained) → load-acquire (the publisher): all have received them.
struct Standings {
  MutableBytes shared;
  std::atomic_ref<std::uint64_t> published() const { return word(start_bytes); }
  std::atomic_ref<std::uint64_t> drained() const { return word(start_bytes + tenon::cache_line); }

 private:
  std::atomic_ref<std::uint64_t> word(std::size_t at) const {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(shared.data() + at));
  }
};

harness::Loop publisher_of_runs(MutableBytes shared, std::size_t subscribers) {
  return [sender = Sender<Bytes40>(std::make_shared<Member>(shared), plain, sizeof(Bytes40), subscribers),
          standings = Standings{shared}, at = std::uint64_t{0}](harness::Round& round) mutable {
    for (std::uint64_t left = round.operations(); left > 0;) {
      const std::uint64_t run = std::min(left, run_length);
      for (std::uint64_t i = 0; i < run; ++i) {
        sender.step();
      }
      const std::int64_t waits_from = tenon::monotonic_now();
      at += run;
      standings.published().store(at, std::memory_order_release);                                      // S1
      harness::spin_until([&] { return standings.drained().load(std::memory_order_acquire) == at; });  // S2
      round.leave_out(static_cast<double>(tenon::monotonic_now() - waits_from));
      left -= run;
    }
  };
}

void drain(Subscribers& all, std::uint64_t run, std::vector<Bytes40>& room) {
  for (auto& subscriber : all) {
    for (std::uint64_t got = 0; got < run;) {
      got += subscriber.receive_batch(std::span(room).first(run - got), tenon::never).or_throw();
    }
  }
}

harness::Loop drainer_of_runs(MutableBytes shared, std::size_t subscribers) {
  auto self = std::make_shared<Member>(shared);
  auto all = std::make_shared<Subscribers>(subscribe(*self, subscribers, {.waiting = tenon::Waiting::spin}));
  return [self, all, room = std::vector<Bytes40>(run_length), standings = Standings{shared},
          at = std::uint64_t{0}](harness::Round& round) mutable {
    for (std::uint64_t left = round.operations(); left > 0;) {
      const std::uint64_t run = std::min(left, run_length);
      at += run;
      harness::relaxed_spin_until([&] { return standings.published().load(std::memory_order_acquire) == at; });  // S1
      drain(*all, run, room);
      standings.drained().store(at, std::memory_order_release);  // S2
      left -= run;
    }
  };
}

}  // namespace

Subject publish_to_idle(std::size_t subscribers) {
  struct Alone {
    Sender<Bytes40> sender;
    std::shared_ptr<Subscribers> others;
    void step() { sender.step(); }
  };
  const auto end = [=](MutableBytes shared) {
    const auto self = std::make_shared<Member>(shared);
    auto others = std::make_shared<Subscribers>(subscribe(*self, subscribers, {.reliable = false}));
    return Alone{Sender<Bytes40>(self, plain, sizeof(Bytes40), subscribers), others};
  };
  return {.name = "publish",
          .shared_bytes = start_bytes,
          .sides = {limits::stepping_side("publisher", end)},
          .lap = plain.depth,
          .prepare = new_domain};
}

Subject publish_to_reliable(std::size_t subscribers) {
  return {.name = "publish",
          .shared_bytes = start_bytes + 2 * tenon::cache_line,
          .sides = {{.name = "publisher",
                     .start = [=](MutableBytes shared) { return publisher_of_runs(shared, subscribers); }},
                    {.name = "drainer",
                     .start = [=](MutableBytes shared) { return drainer_of_runs(shared, subscribers); }}},
          .lap = plain.depth,
          .prepare = new_domain};
}

}  // namespace topics
