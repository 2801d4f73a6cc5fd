#pragma once
/// The topics of a domain: who publishes, who subscribes, how far each has come. messaging/topic/topic_layout.hpp
///
/// Nobody is joined, and nobody waits for who looks. Files are read, not mapped, so that whoever cuts one short does
/// not end the reader: some thirty reads of a word for a publisher, some five for a subscriber, each of which may take
/// a cache line away from its owner for a moment. So who looks once in a while costs nothing that can be measured, and
/// who looks all the time does. What is read is no picture of one moment: figures of several files lie some
/// microseconds apart. Each is held against its file's length and header, whatever stands there.
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenon::inspect {

class Lives;

enum class EndpointStanding : std::uint8_t {
  alive,
  closed,  ///< a publisher that has said that nothing more comes: its file stays for who has not received all
  died,
};
/// "alive", "closed", "died"
const char* name_of(EndpointStanding standing) noexcept;

/// Bytes of the newest messages, of up to 16 of them.
struct MessageSizes {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::uint64_t mean = 0;
};

struct TopicPublisher {
  std::uint64_t token;
  std::uint64_t life;  ///< the token of its process
  pid_t pid;
  uid_t uid;
  EndpointStanding standing;
  std::string type;                   ///< "Pose"; any byte may stand in it
  std::uint64_t type_bytes;           ///< of a message, of slices of an element
  std::uint64_t published;            ///< messages since it came
  std::uint64_t depth;                ///< how far a reliable subscriber may be behind
  std::uint64_t memory;               ///< bytes that its file takes up
  std::optional<MessageSizes> sizes;  ///< nothing before the first message
};

/// How one subscriber stands to one publisher.
struct TopicStanding {
  std::uint64_t publisher;  ///< its token
  std::uint64_t lag;        ///< messages published and not yet received
  std::uint64_t received;
  std::uint64_t lost;
  std::uint64_t history_short;
  std::uint32_t held;  ///< long messages that it holds
};

struct TopicSubscriber {
  std::uint64_t token;
  std::uint64_t life;  ///< the token of its process
  pid_t pid;
  uid_t uid;
  EndpointStanding standing;
  std::string type;
  bool reliable;
  std::uint32_t max_held;  ///< 0 for short messages, which are copied
  /// For how long it has slept without a message, in nanoseconds; nothing if it does not sleep.
  std::optional<std::int64_t> waits_for;
  std::uint64_t memory;
  std::vector<TopicStanding> standings;
};

struct Topic {
  std::string name;
  std::vector<TopicPublisher> publishers;
  std::vector<TopicSubscriber> subscribers;

  /// Of those who live its publishers', else its subscribers'; "" if nobody is there.
  std::string type() const;
  /// The largest of any living subscriber.
  std::uint64_t lag() const noexcept;
  /// Bytes that all files take up.
  std::uint64_t memory() const noexcept;
};

struct Topics {
  std::vector<Topic> topics;        ///< by name
  std::vector<std::string> unseen;  ///< what could not be read, and why, in sentences
  std::int64_t at = 0;              ///< CLOCK_MONOTONIC, nanoseconds
};

/// Of the domain in that directory, which is not made. Outcomes: not_found (there is no such directory). Failures:
/// permission_denied, wrong_kind.
Result<Topics> topics(const std::string& domain);
/// The one of that name alone. Outcomes: also not_found (nobody takes part in it). Failures: also invalid_name, and
/// permission_denied, wrong_kind for its own directory; of files in that, `unseen` tells. No topics, and something
/// unseen: who takes part cannot be told.
Result<Topics> topic(const std::string& domain, const std::string& name);

/// Of a directory that is made as a topic's is, under its whole name: an inbox of a service. Outcomes: not_found.
/// Failures: permission_denied, wrong_kind.
Result<Topics> endpoints_in(FdView parent, const std::string& directory, Lives& lives);

/// Messages a second that were published between two looks at one publisher, or since it came if it was not there at
/// the first. 0 where the figures make no sense.
double rate_of(const TopicPublisher& publisher, const Topic& before, double seconds) noexcept;
/// Of all of its publishers.
double rate_of(const Topic& now, const Topic& before, double seconds) noexcept;

}  // namespace tenon::inspect
