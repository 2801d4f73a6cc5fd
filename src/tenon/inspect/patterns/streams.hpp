#pragma once
/// The streams of a domain: who writes, who reads, and how much is on its way. messaging/stream/stream_layout.hpp
///
/// Nobody is joined, and nobody waits for who looks. Files are read, not mapped, so that whoever cuts one short does
/// not end the reader: a header and a state for each end. The reader's is read first, so that no byte seems to have
/// been read before it was written. What stands there is held against the file's length.
#include <tenon/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

struct StreamEndSeen {
  std::uint64_t token;
  std::uint64_t life;
  pid_t pid;  ///< in its PID namespace
  uid_t uid;
  bool alive;
  bool closed;          ///< it has said that nothing more comes, or is read
  bool joined;          ///< it has met the other end; one that lives and has not waits for it in open
  std::uint64_t bytes;  ///< that it has written, or read
  /// For how long it has slept for bytes, or for room, in nanoseconds; nothing if it does not sleep.
  std::optional<std::int64_t> waits_for;
  std::uint64_t waits;   ///< how often it slept
  std::uint64_t memory;  ///< bytes that its file takes up
};

struct StreamSeen {
  std::string name;
  std::optional<StreamEndSeen> writer;
  std::optional<StreamEndSeen> reader;
  std::uint64_t capacity;  ///< bytes; 0 without a writer

  /// Bytes written and not yet read, of two ends that have met.
  std::uint64_t unread() const noexcept;
};

struct Streams {
  std::vector<StreamSeen> streams;  ///< by name
  std::vector<std::string> unseen;  ///< what could not be read, and why, in sentences
  std::int64_t at = 0;              ///< CLOCK_MONOTONIC, nanoseconds
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind, limit_reached.
Result<Streams> streams(const std::string& domain);

}  // namespace tenon::inspect
