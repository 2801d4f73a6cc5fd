#pragma once
/// What one sender has sent so far, as its receiver sees it, and what of it is held back.
#include <tenon/channel/frame.hpp>
#include <tenon/os/life.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// A frame that came while another message was being received.
struct HeldFrame {
  Frame frame;
  std::vector<std::byte> payload;
  std::uint64_t turn = 0;  ///< in which order they came

  /// Bytes of memory: an empty message takes some too.
  std::size_t cost() const noexcept { return sizeof(HeldFrame) + payload.size(); }
};

/// The messages of one sender at one priority. Within it they keep their order; a higher one overtakes a lower.
struct Flow {
  std::uint64_t message = 1;  ///< the one whose part comes next
  std::uint64_t offset = 0;
  std::deque<HeldFrame> held;
};

/// Whose message, at which priority.
struct FlowKey {
  Token sender;
  std::uint32_t priority;
  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

struct Inflow {
  std::map<std::uint32_t, Flow> flows;  ///< by priority
  std::uint64_t whole = 0;              ///< how many messages have come whole, of all priorities
  bool heard = false;                   ///< a frame of it has come
  bool ended = false;
  bool gone = false;  ///< known to have died or left; what it sent before may still come
  std::optional<Peer> peer;
  std::string who;  ///< for messages: "pid 17", with its PID namespace where that is another
  /// Once it is gone: when so many bytes have been taken from the channel, all that it wrote has been.
  std::optional<std::uint64_t> owed_until;

  /// A message has begun and is not whole.
  bool in_message() const;
  /// Drops all that is held of it; returns how many bytes that were.
  std::size_t drop_held();
};

using Inflows = std::map<Token, Inflow>;

/// The flow whose held frame comes next: of the highest priority, and there the oldest; while a message is being
/// received (`current`), of that message alone. nullptr if none is held that may come.
Flow* next_held(Inflows& inflows, const std::optional<FlowKey>& current);

/// Somebody who has gone and has not said its end, although all that it wrote has been taken (`taken` bytes in all) and
/// looked at, or waits behind a message of its own that will never be whole.
std::optional<Token> overdue(const Inflows& inflows, const std::optional<FlowKey>& current, std::uint64_t taken);

}  // namespace tenon
