#pragma once
/// What the rows of waits are written with.
#include "waits.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace conformance {

/// The message or the bytes of every row.
inline std::array<std::byte, 64> bytes{};

template <class T>
tenon::Result<void> nothing_of(tenon::Result<T> result) {
  return result ? tenon::Result<void>() : tenon::fail(std::move(result.error()));
}

/// A wait on what `make` makes.
template <class Make, class Method>
std::function<Waiting()> on(Make make, Method method) {
  return [=] {
    return [subject = std::make_shared<decltype(make())>(make()), method](tenon::Deadline deadline) {
      return nothing_of(method(*subject, deadline));
    };
  };
}

/// Likewise on what cannot be moved.
template <class T>
auto fresh() {
  return [] { return std::make_shared<T>(); };
}

}  // namespace conformance
