#pragma once
/// What the maker of a blackboard chooses, and what a reader is told of a value.
#include <tenon/os/token.hpp>

#include <cstdint>

namespace tenon {

struct BoardOptions {
  /// How many keys there may be, at least 1. Memory for all of them is there from the beginning.
  std::uint32_t keys = 1024;
  /// How many values of a key stand side by side, at least 4, and up to the next power of two. A reader is overtaken,
  /// and begins anew, if all but one of them are written while it copies.
  std::uint32_t copies = 4;
};

/// Which of a key's values one is.
struct ValueStamp {
  std::uint64_t number = 0;  ///< 1 is the first that was ever written to its key; no two have the same
  std::int64_t time = 0;     ///< CLOCK_MONOTONIC in nanoseconds, when it was written
  Token writer = nobody;     ///< the life (os/life) of the process that wrote it
};

/// A value as it was read.
template <class Value>
struct Latest : ValueStamp {
  Value value{};
};

}  // namespace tenon
