#pragma once
/// A ring that users take, measured as the bare rings are: one process sends, another reads and checks.
#include <tenon/base/cache_line.hpp>
#include <harness/byte_stream.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace limits {

/// What two processes need of it: how much memory, how to make it, and the ends, each with `void step()` for a message.
template <class MakeSender, class MakeReceiver>
struct RingSides {
  std::size_t bytes;
  std::uint64_t lap;  ///< how many messages use all of the memory once
  std::function<void(tenon::MutableBytes)> prepare;
  MakeSender make_sender;
  MakeReceiver make_receiver;
};
template <class MakeSender, class MakeReceiver>
RingSides(std::size_t, std::uint64_t, std::function<void(tenon::MutableBytes)>, MakeSender, MakeReceiver)
    -> RingSides<MakeSender, MakeReceiver>;

template <class MakeSender, class MakeReceiver>
harness::Subject one_way(const std::string& name, RingSides<MakeSender, MakeReceiver> sides) {
  return {.name = name,
          .shared_bytes = sides.bytes,
          .sides = {stepping_side("sender", sides.make_sender), stepping_side("receiver", sides.make_receiver)},
          .timed_side = 1,
          .lap = sides.lap,
          .prepare = sides.prepare};
}

/// Sends on the first ring of the memory and receives on the second, or the other way about.
template <class First, class Second>
struct TwoWays {
  First first;
  Second second;
  void step() {
    first.step();
    second.step();
  }
};

/// An end of a round trip, as SleepyEnd tells and awaits.
template <class Sender, class Receiver>
struct TellAndAwait {
  Sender sender;
  Receiver receiver;
  void tell() { sender.step(); }
  void await() { receiver.step(); }
};

/// Both directions lie in the same memory, one behind the other.
template <class MakeSender, class MakeReceiver>
harness::Subject there_and_back(const std::string& name, RingSides<MakeSender, MakeReceiver> sides) {
  const auto there = [=](tenon::MutableBytes shared) { return shared.first(sides.bytes); };
  const auto back = [=](tenon::MutableBytes shared) { return shared.subspan(sides.bytes); };
  const auto asker = [=](tenon::MutableBytes shared) {
    return TwoWays{sides.make_sender(there(shared)), sides.make_receiver(back(shared))};
  };
  const auto answerer = [=](tenon::MutableBytes shared) {
    return TwoWays{sides.make_receiver(there(shared)), sides.make_sender(back(shared))};
  };
  return {.name = name,
          .shared_bytes = 2 * sides.bytes,
          .sides = {stepping_side("asker", asker), stepping_side("answerer", answerer)},
          .lap = sides.lap,
          .prepare = [=](tenon::MutableBytes shared) {
            if (sides.prepare) {
              sides.prepare(there(shared));
              sides.prepare(back(shared));
            }
          }};
}

/// There and back between ends that sleep: across cores each lets the other fall asleep before it sends, and that time
/// is left out (sleepy_end.hpp). No lap: what a first touch takes is nothing beside a wake.
template <class MakeSender, class MakeReceiver>
harness::Subject there_and_back_asleep(const std::string& name, RingSides<MakeSender, MakeReceiver> sides,
                                       Where where) {
  const auto end = [=](bool begins) {
    return [=](tenon::MutableBytes shared) {
      const auto first = shared.first(sides.bytes);
      const auto second = shared.subspan(sides.bytes, sides.bytes);
      // In the order in which they wait for each other: who begins makes the sender, and the other its receiver.
      auto signal = [&] {
        if (begins) {
          auto sender = sides.make_sender(first);
          return TellAndAwait{std::move(sender), sides.make_receiver(second)};
        }
        auto receiver = sides.make_receiver(first);
        return TellAndAwait{sides.make_sender(second), std::move(receiver)};
      }();
      return SleepyEnd<decltype(signal)>{
          .signal = std::move(signal),
          .answerers_wait = reinterpret_cast<std::int64_t*>(shared.data() + 2 * sides.bytes),
          .begins = begins,
          .lets_sleep = where == Where::across_cores};
    };
  };
  return {.name = name,
          .shared_bytes = 2 * sides.bytes + tenon::cache_line,
          .sides = {stepping_side("asker", end(true)), stepping_side("answerer", end(false))},
          .prepare = [=](tenon::MutableBytes shared) {
            if (sides.prepare) {
              sides.prepare(shared.first(sides.bytes));
              sides.prepare(shared.subspan(sides.bytes, sides.bytes));
            }
          }};
}

/// A bare ring of bench/limits; one that publishes in batches gathers so many messages.
template <class Ring>
auto bare_ring(std::uint64_t slots, std::uint64_t gathered = 1) {
  struct Sender {
    Ring ring;
    void step() { ring.put(); }
    void finish() {
      if constexpr (requires { ring.publish(); }) {
        ring.publish();
      }
    }
  };
  struct Receiver {
    Ring ring;
    void step() { ring.take(); }
  };
  const auto make = [=](tenon::MutableBytes shared) {
    if constexpr (requires { Ring(shared.data(), slots, slots); }) {
      return Ring(shared.data(), slots, gathered);
    } else {
      return Ring(shared.data(), slots);
    }
  };
  return RingSides{Ring::shared_bytes(slots), slots, std::function<void(tenon::MutableBytes)>(),
                   [=](tenon::MutableBytes shared) { return Sender{make(shared)}; },
                   [=](tenon::MutableBytes shared) { return Receiver{make(shared)}; }};
}

}  // namespace limits
