#pragma once
/// A ring that users take, measured as the bare rings are: one process sends, another reads and checks.
#include <harness/byte_stream.hpp>
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
