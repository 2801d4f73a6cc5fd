#pragma once
/// The channels that the suite in every_channel_test.cpp runs over: a new channel is a row in channel_rows.cpp.
#include <tenon/base/bytes.hpp>

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace transfer {

struct ChannelRow {
  std::string scheme;
  /// The longest message that goes in one frame.
  std::size_t limit;
  /// What stands behind the colon for both sides, where nothing else is: `directory` is the test's own.
  std::function<std::string(const std::string& directory)> rest;
  /// Gets bytes into the channel that are no frame, past its sender.
  std::function<void(const std::string& rest, tenon::Bytes bytes)> inject;
  /// Whether the channel's object is there.
  std::function<bool(const std::string& rest)> exists;
  /// Both sides are handed an end by whoever starts them, instead of a name.
  bool inherited = false;

  friend std::ostream& operator<<(std::ostream& out, const ChannelRow& row) { return out << row.scheme; }
};

std::vector<ChannelRow> channel_rows();

}  // namespace transfer
