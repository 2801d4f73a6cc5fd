#pragma once
// How a trial says what is broken.
#include <stdexcept>

namespace kill_cases {

inline void must(bool holds, const char* otherwise) {
  if (!holds) {
    throw std::runtime_error(otherwise);
  }
}

}  // namespace kill_cases
