#pragma once
/// Sides whose loop does one step after the other.
#include <harness/subject.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace limits {

/// A loop over an end: an object with `void step()` or `void step(harness::Round&)`, called once for each operation,
/// which keeps its position from block to block.
template <class End>
class Stepping {
 public:
  explicit Stepping(End end) : end_(std::move(end)) {}

  void operator()(harness::Round& round) {
    End working = std::move(end_);  // in registers as far as it fits
    for (std::uint64_t i = 0; i < round.operations(); ++i) {
      if constexpr (requires { working.step(round); }) {
        working.step(round);
      } else {
        working.step();
      }
      round.mark();
    }
    if constexpr (requires { working.finish(); }) {
      working.finish();
    }
    end_ = std::move(working);
  }

 private:
  End end_;
};

/// A side whose end `make_end` makes over the shared memory, in the side's own process.
template <class MakeEnd>
harness::Side stepping_side(const std::string& name, MakeEnd&& make_end) {
  return {.name = name, .start = [make = std::forward<MakeEnd>(make_end)](tenon::MutableBytes shared) -> harness::Loop {
            return Stepping(make(shared));
          }};
}

}  // namespace limits
