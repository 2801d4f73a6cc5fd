#include <cli/topic_text.hpp>

#include <tenon/base/name.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace tenon::cli {

namespace {

using inspect::Topic;
using inspect::TopicPublisher;
using inspect::TopicStanding;
using inspect::TopicSubscriber;
using nlohmann::json;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

// Which of the publishers a row is about, by its process.
json pid_of(const Topic& topic, std::uint64_t publisher) {
  const auto found = std::ranges::find(topic.publishers, publisher, &TopicPublisher::token);
  return found != topic.publishers.end() ? json(found->pid) : json(nullptr);
}

json json_of(const TopicLooks& looks, const TopicPublisher& one) {
  const json sizes = one.sizes ? json{{"least", one.sizes->least}, {"most", one.sizes->most}, {"mean", one.sizes->mean}}
                               : json(nullptr);
  return {{"pid", one.pid},
          {"uid", one.uid},
          {"standing", inspect::name_of(one.standing)},
          {"type", escaped(one.type)},
          {"type_bytes", one.type_bytes},
          {"published", one.published},
          {"rate", or_null(looks.rate_of(one))},
          {"sizes", sizes},
          {"depth", one.depth},
          {"memory", one.memory}};
}

json json_of(const TopicLooks& looks, const TopicSubscriber& one) {
  json rows = json::array();
  for (const TopicStanding& row : one.standings) {
    rows.push_back({{"publisher", pid_of(*looks.now, row.publisher)},
                    {"lag", row.lag},
                    {"received", row.received},
                    {"rate", or_null(looks.rate_of(one, row))},
                    {"lost", row.lost},
                    {"history_short", row.history_short},
                    {"held", row.held}});
  }
  return {{"pid", one.pid},
          {"uid", one.uid},
          {"standing", inspect::name_of(one.standing)},
          {"type", escaped(one.type)},
          {"reliable", one.reliable},
          {"max_held", one.max_held},
          {"sleeps_for", one.waits_for ? json(static_cast<double>(*one.waits_for) / 1e9) : json(nullptr)},
          {"memory", one.memory},
          {"publishers", std::move(rows)}};
}

}  // namespace

std::optional<double> TopicLooks::rate() const {
  return before == nullptr ? std::nullopt : std::optional(inspect::rate_of(*now, *before, seconds));
}

std::optional<double> TopicLooks::rate_of(const TopicPublisher& publisher) const {
  return before == nullptr ? std::nullopt : std::optional(inspect::rate_of(publisher, *before, seconds));
}

std::optional<double> TopicLooks::rate_of(const TopicSubscriber& subscriber, const TopicStanding& standing) const {
  if (before == nullptr || seconds <= 0) {
    return std::nullopt;
  }
  const auto known = std::ranges::find(before->subscribers, subscriber.token, &TopicSubscriber::token);
  std::uint64_t from = 0;
  if (known != before->subscribers.end()) {
    const auto row = std::ranges::find(known->standings, standing.publisher, &TopicStanding::publisher);
    from = row != known->standings.end() ? row->received : 0;
  }
  const auto gained = static_cast<std::int64_t>(standing.received - from);
  return gained > 0 ? static_cast<double>(gained) / seconds : 0;
}

json json_of(const TopicLooks& looks) {
  json publishers = json::array();
  for (const TopicPublisher& one : looks.now->publishers) {
    publishers.push_back(json_of(looks, one));
  }
  json subscribers = json::array();
  for (const TopicSubscriber& one : looks.now->subscribers) {
    subscribers.push_back(json_of(looks, one));
  }
  return {{"name", escaped(looks.now->name)},     {"type", escaped(looks.now->type())},
          {"rate", or_null(looks.rate())},        {"lag", looks.now->lag()},
          {"memory", looks.now->memory()},        {"publishers", std::move(publishers)},
          {"subscribers", std::move(subscribers)}};
}

std::string rate_text(std::optional<double> rate) {
  if (!rate) {
    return "-";
  }
  return *rate >= 1e6   ? fmt::format("{:.2f}M", *rate / 1e6)
         : *rate >= 1e4 ? fmt::format("{:.1f}k", *rate / 1e3)
                        : fmt::format("{:.1f}", *rate);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB"};
  constexpr double step = 1024;
  auto amount = static_cast<double>(bytes);
  if (amount < step) {
    return fmt::format("{} B", bytes);
  }
  std::size_t unit = 0;
  for (amount /= step; amount >= step && unit + 1 < units.size(); amount /= step) {
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, units[unit]);
}

std::string process_text(pid_t pid, inspect::EndpointStanding standing) {
  return standing == inspect::EndpointStanding::alive ? std::to_string(pid)
                                                      : fmt::format("{} ({})", pid, inspect::name_of(standing));
}

}  // namespace tenon::cli
