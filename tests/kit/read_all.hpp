#pragma once
/// What comes out of a stream until its end.
#include <tenon/base/bytes.hpp>
#include <tenon/base/deadline.hpp>

#include <array>
#include <string>

namespace kit {

/// All that a ReadEnd or a UnixStream gives.
template <class Stream>
std::string read_all(Stream& stream) {
  std::string all;
  std::array<std::byte, 5000> part;
  while (const std::size_t got = stream.read(part, tenon::never).or_throw()) {
    all += tenon::text_of(tenon::Bytes(part).first(got));
  }
  return all;
}

}  // namespace kit
