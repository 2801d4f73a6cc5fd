/// tenon ls topics [--domain DIR] [--interval SECONDS] [--json]
#include <tenon/base/name.hpp>
#include <tenon/inspect/patterns/topics.hpp>

#include <cli/command.hpp>
#include <cli/topic_text.hpp>
#include <cli/two_looks.hpp>

#include <algorithm>

namespace tenon::cli {

namespace {

using inspect::Topics;
using nlohmann::json;

using Looks = TwoLooks<Topics>;

TopicLooks looks_at(const Looks& looks, const inspect::Topic& topic) {
  if (!looks.before) {
    return {.now = &topic, .before = nullptr, .seconds = 0};
  }
  static const inspect::Topic not_there{};
  const auto found = std::ranges::find(looks.before->topics, topic.name, &inspect::Topic::name);
  return {
      .now = &topic, .before = found != looks.before->topics.end() ? &*found : &not_there, .seconds = looks.seconds()};
}

// "2: 4711, 4712 (died)"
template <class Endpoint>
std::string who_text(const std::vector<Endpoint>& all) {
  std::string text = std::to_string(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += (i == 0 ? ": " : ", ") + process_text(all[i].pid, all[i].standing);
  }
  return text;
}

Columns rows_of(const Looks& looks) {
  Columns rows({"TOPIC", "TYPE", "PUBLISHERS", "SUBSCRIBERS", "RATE", "LAG", "MEMORY"});
  for (const inspect::Topic& topic : looks.now.topics) {
    const auto rate = looks_at(looks, topic).rate();
    rows.add({escaped(topic.name), escaped(topic.type()), who_text(topic.publishers), who_text(topic.subscribers),
              rate ? rate_text(rate) + "/s" : "-", std::to_string(topic.lag()), bytes_text(topic.memory())});
  }
  return rows;
}

json json_of(const Looks& looks) {
  json all = json::array();
  for (const inspect::Topic& topic : looks.now.topics) {
    all.push_back(json_of(looks_at(looks, topic)));
  }
  return all;
}

Result<void> list(const LooksOptions& options) {
  return look_twice(&inspect::topics, &Topics::topics, options).and_then([&](const Looks& looks) {
    return options.json ? print_json(looks, options.domain, "topics", json_of(looks))
                        : print_rows(looks, rows_of(looks));
  });
}

}  // namespace

void add_ls_topics(CLI::App& ls, int& code) {
  add_looks(ls, code, "topics", "List the topics of a domain, and who takes part in them", &list);
}

}  // namespace tenon::cli
