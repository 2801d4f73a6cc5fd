#pragma once
/// The services of a domain: who serves, who calls, and what waits. messaging/service/service_layout.hpp
///
/// As inspect/patterns/topics.hpp, whose files stand in a service's inboxes: nobody is joined, nobody waits for who
/// looks, and what stands in the files is held against their lengths.
#include <tenon/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

/// A server or a client.
struct ServiceEnd {
  std::uint64_t token;
  std::uint64_t life;  ///< the token of its process
  pid_t pid;           ///< 0: its file is not there
  bool alive;
  std::uint64_t waiting;  ///< messages in its inbox that it has not looked at: requests, or responses
  std::uint64_t received;
  std::uint32_t peers;  ///< living clients that called it, or servers that answer it
  /// For how long it has slept without a message, in nanoseconds; nothing if it does not sleep.
  std::optional<std::int64_t> waits_for;
  std::uint64_t memory;  ///< bytes that the files of its inbox take up
};

struct ServiceSeen {
  std::string name;
  std::string type;  ///< "Service<Sum,Total>", of one of its ends; any byte may stand in it
  std::vector<ServiceEnd> servers;
  std::vector<ServiceEnd> clients;

  /// At all living servers.
  std::uint64_t waiting() const noexcept;
  /// Messages that all servers have received.
  std::uint64_t received() const noexcept;
  std::uint64_t memory() const noexcept;
};

struct Services {
  std::vector<ServiceSeen> services;  ///< by name
  std::vector<std::string> unseen;    ///< what could not be read, and why, in sentences
  std::int64_t at = 0;                ///< CLOCK_MONOTONIC, nanoseconds
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind, limit_reached.
Result<Services> services(const std::string& domain);

}  // namespace tenon::inspect
