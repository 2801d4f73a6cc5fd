#pragma once
/// What one sender has sent so far, as its receiver sees it.
#include <tenon/channel/frame.hpp>
#include <tenon/os/life.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace tenon {

/// A frame that came while another sender's message was being received.
struct HeldFrame {
  Frame frame;
  std::vector<std::byte> payload;
  std::uint64_t turn = 0;  ///< in which order they came
};

struct Inflow {
  std::uint64_t message = 1;  ///< the one whose part comes next
  std::uint64_t offset = 0;
  bool heard = false;  ///< a frame of it has come
  bool ended = false;
  std::optional<Peer> peer;  ///< nothing once it is known to be dead
  /// Once it is dead: when so many bytes have been taken from the channel, all that it wrote has been.
  std::optional<std::uint64_t> owed_until;
  std::deque<HeldFrame> held;
};

using Inflows = std::map<Token, Inflow>;

}  // namespace tenon
