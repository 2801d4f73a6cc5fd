#pragma once
/// The blackboards of a domain, and how much is on them. messaging/blackboard/board_layout.hpp
///
/// Files are read, not mapped, so that whoever cuts one short does not end the reader: one read of 64 bytes for each
/// key. What stands there is held against the file's length and its header.
#include <tenon/base/result.hpp>

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

struct Board {
  std::string name;
  uid_t owner;
  std::uint32_t keys;  ///< that have been added
  std::uint32_t most_keys;
  std::string key_type;            ///< "FixedString<12>"; any byte may stand in it
  std::vector<std::string> types;  ///< of values
  std::uint64_t written;           ///< values, to all keys
  std::uint64_t memory;            ///< bytes that its file takes up
};

struct Boards {
  std::vector<Board> boards;        ///< by name
  std::vector<std::string> unseen;  ///< what could not be read, and why, in sentences
  std::int64_t at = 0;              ///< CLOCK_MONOTONIC, nanoseconds
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind, limit_reached.
Result<Boards> boards(const std::string& domain);

}  // namespace tenon::inspect
