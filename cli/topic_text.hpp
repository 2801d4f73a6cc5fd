#pragma once
/// How the commands show a topic and those who take part in it.
#include <tenon/inspect/patterns/topics.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace tenon::cli {

/// A topic now, and as it was `seconds` before: what rates are reckoned from.
struct TopicLooks {
  const inspect::Topic* now;
  const inspect::Topic* before;  ///< nullptr: there are no rates
  double seconds;

  std::optional<double> rate() const;
  std::optional<double> rate_of(const inspect::TopicPublisher& publisher) const;
  /// At which it receives that publisher's messages.
  std::optional<double> rate_of(const inspect::TopicSubscriber& subscriber,
                                const inspect::TopicStanding& standing) const;
};

/// docs/schema/topics.json, one of its topics.
nlohmann::json json_of(const TopicLooks& looks);
/// "998.3", "5.1M", "-" where there is none
std::string rate_text(std::optional<double> rate);
/// "24 B", "1.5 MiB"
std::string bytes_text(std::uint64_t bytes);
/// "4711", "4711 (died)"
std::string process_text(pid_t pid, inspect::EndpointStanding standing);

}  // namespace tenon::cli
