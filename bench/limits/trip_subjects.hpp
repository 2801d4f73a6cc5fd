#pragma once
/// Two ends that tell each other something and await it, measured there and back: for whatever has one connection for
/// both directions, or calls and answers.
#include <tenon/base/cache_line.hpp>
#include <harness/subject.hpp>
#include <limits/sleepy_end.hpp>
#include <limits/stepping_side.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace limits {

/// What two processes need of it: how much memory, how to make it, and the ends, each with `void tell()` and
/// `void await()`.
template <class MakeAsker, class MakeAnswerer>
struct TripSides {
  std::size_t bytes;
  std::function<void(tenon::MutableBytes)> prepare;
  MakeAsker make_asker;
  MakeAnswerer make_answerer;
};
template <class MakeAsker, class MakeAnswerer>
TripSides(std::size_t, std::function<void(tenon::MutableBytes)>, MakeAsker, MakeAnswerer)
    -> TripSides<MakeAsker, MakeAnswerer>;

template <class Signal>
struct Asks {
  Signal signal;
  void step() {
    signal.tell();
    signal.await();
  }
};
template <class Signal>
struct Answers {
  Signal signal;
  void step() {
    signal.await();
    signal.tell();
  }
};

template <class MakeAsker, class MakeAnswerer>
harness::Subject trip(const std::string& name, const TripSides<MakeAsker, MakeAnswerer>& sides) {
  return {.name = name,
          .shared_bytes = sides.bytes,
          .sides = {stepping_side("asker", [=](tenon::MutableBytes shared) { return Asks{sides.make_asker(shared)}; }),
                    stepping_side("answerer",
                                  [=](tenon::MutableBytes shared) { return Answers{sides.make_answerer(shared)}; })},
          .prepare = sides.prepare};
}

/// The same between ends that sleep, as limits::there_and_back_asleep.
template <class MakeAsker, class MakeAnswerer>
harness::Subject trip_asleep(const std::string& name, const TripSides<MakeAsker, MakeAnswerer>& sides, Where where) {
  const auto sleepy = [=](auto make, bool begins) {
    return [=](tenon::MutableBytes shared) {
      auto signal = make(shared.first(sides.bytes));
      return SleepyEnd<decltype(signal)>{.signal = std::move(signal),
                                         .answerers_wait = reinterpret_cast<std::int64_t*>(shared.data() + sides.bytes),
                                         .begins = begins,
                                         .lets_sleep = where == Where::across_cores};
    };
  };
  return {.name = name,
          .shared_bytes = sides.bytes + tenon::cache_line,
          .sides = {stepping_side("asker", sleepy(sides.make_asker, true)),
                    stepping_side("answerer", sleepy(sides.make_answerer, false))},
          .prepare = sides.prepare};
}

}  // namespace limits
