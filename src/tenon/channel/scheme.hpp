#pragma once
/// The table of channels: one row for each mechanism that can be one.
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/sender.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tenon {

struct Scheme {
  std::string_view name;  ///< "fifo"
  std::string_view rest;  ///< "PATH", for messages
  Result<Sender> (*open_sender)(const std::string& rest, std::shared_ptr<const Domain> domain, Deadline deadline);
  Result<Receiver> (*open_receiver)(const std::string& rest, std::shared_ptr<const Domain> domain, Deadline deadline);
  /// Removes the object that a channel of that domain made; nothing happens if it is gone, or another one by now.
  void (*remove)(const Domain& domain, const std::string& rest, std::uint64_t object);
  bool priority = false;     ///< messages of a higher priority overtake those of a lower
  bool credentials = false;  ///< the kernel vouches for senders
};

std::span<const Scheme> schemes();

/// "fifo:PATH, pipe:FD"
std::string known_channels();

/// Whether this channel has priorities. Failures: invalid_argument (it has none: those that have are named; it is no
/// channel).
Result<void> check_has_priorities(std::string_view uri);
/// The error of whoever asks a channel for priorities that has none.
Error no_priorities();
/// Likewise whether the kernel vouches for this channel's senders.
Result<void> check_vouches(std::string_view uri);
Error not_vouched();

/// Removes the object behind a channel's URI in that domain, whatever its scheme. `object`: as ObjectKeeper::remove has
/// it.
void remove_channel_object(const Domain& domain, const std::string& uri, std::uint64_t object);

}  // namespace tenon
