#pragma once
/// The queues of a domain: what each holds, and who has it open. messaging/queue/queue_layout.hpp
///
/// Nobody is joined, and nobody waits for who looks. Files are read, not mapped, so that whoever cuts one short does
/// not end the reader. It reads 64 bytes of each slot and member; figures of several slots lie some microseconds apart.
/// What stands there is held against the file's length and its header.
#include <tenon/base/result.hpp>

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

/// Somebody who has it open: one handle.
struct QueueMemberSeen {
  std::uint64_t token;
  pid_t pid;              ///< 0: its life file is gone
  bool alive;             ///< if not, what it holds comes back with the next one who waits
  std::uint32_t taken;    ///< messages that it has taken and not acknowledged
  std::uint32_t sending;  ///< messages that it writes
};

struct QueueSeen {
  std::string name;
  uid_t owner;
  std::string type;          ///< "Job"; any byte may stand in it
  std::uint64_t type_bytes;  ///< of a message, or of an element of those of any length
  bool any_length;           ///< messages are slices
  std::uint32_t waiting;     ///< messages that are there to be received
  std::uint32_t taken;       ///< and those that somebody has taken and not acknowledged
  std::uint32_t being_sent;
  std::uint32_t most_messages;
  std::uint64_t bytes;        ///< for long messages
  std::uint64_t free_bytes;   ///< of these
  std::uint64_t sent;         ///< messages since it was made
  std::uint64_t returned;     ///< that came back from the dead
  std::int64_t oldest_waits;  ///< nanoseconds since the oldest that waits was sent; 0 if none does
  bool receivers_sleep;       ///< somebody waits for a message
  bool senders_sleep;         ///< somebody waits for room
  bool removed;               ///< it is closed to all who have it open
  std::uint64_t memory;       ///< bytes that its file takes up
  std::vector<QueueMemberSeen> members;
};

struct Queues {
  std::vector<QueueSeen> queues;    ///< by name
  std::vector<std::string> unseen;  ///< what could not be read, and why, in sentences
  std::int64_t at = 0;              ///< CLOCK_MONOTONIC, nanoseconds
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind, limit_reached.
Result<Queues> queues(const std::string& domain);

}  // namespace tenon::inspect
