#pragma once
/// What the commands that take part in a topic have in common.
#include <tenon/messaging/topic/dynamic_type.hpp>
#include <tenon/sync/membership.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace tenon::cli {

/// Which topic, of which domain, with messages of which type where nobody is there to say it.
struct TopicChoice {
  std::string topic;
  std::string domain = Domain::path_of_environment();
  std::string type;  ///< type_notation.hpp; "" for what those who are there have
};

void add_topic(CLI::App& command, TopicChoice& choice);
void add_type(CLI::App& command, TopicChoice& choice);

/// A member of that domain, which is made if it is not there. Failures: permission_denied, no_space, limit_reached.
Result<Membership> join(const TopicChoice& choice);
/// The type asked for, else that of those who are there. Outcomes: not_found (nobody is there). Failures:
/// invalid_argument (the notation), and as type_of_topic().
Result<DynamicType> type_of(const TopicChoice& choice);
/// That of bytes.
DynamicType type_of_bytes();

}  // namespace tenon::cli
