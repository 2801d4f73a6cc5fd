/// Topics as objects of a snapshot. inspect/patterns/topics.hpp
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/inspect/patterns/topics.hpp>
#include <tenon/messaging/topic/topic_layout.hpp>

#include <algorithm>

namespace tenon::inspect {

namespace {

bool lives(EndpointStanding standing) { return standing != EndpointStanding::died; }

// Of all publishers: how far it is behind, and what it has lost.
std::uint64_t sum(const TopicSubscriber& subscriber, std::uint64_t TopicStanding::* figure) {
  std::uint64_t all = 0;
  for (const TopicStanding& standing : subscriber.standings) {
    all += standing.*figure;
  }
  return all;
}

Object topic_object(const DomainScene& scene, const Topic& topic) {
  Object object = scene.object(Kind::topic, topic.name, std::string(topic_directory_prefix) + topic.name);
  const auto living = [](const auto& all) {
    return static_cast<std::uint64_t>(std::ranges::count_if(all, [](const auto& one) { return lives(one.standing); }));
  };
  std::uint64_t published = 0;
  std::uint64_t lost = 0;
  std::uint64_t depth = 0;
  for (const TopicPublisher& one : topic.publishers) {
    published += one.published;
    depth = std::max(depth, one.depth);
  }
  for (const TopicSubscriber& one : topic.subscribers) {
    lost += sum(one, &TopicStanding::lost);
  }
  object.figures = {{.name = "publishers", .value = living(topic.publishers)},
                    {.name = "subscribers", .value = living(topic.subscribers)},
                    {.name = "lag", .value = topic.lag()},
                    {.name = "published", .value = published},
                    {.name = "lost", .value = lost},
                    {.name = "bytes", .value = topic.memory()},
                    {.name = "max_lag", .value = depth}};
  return object;
}

void add_topic(DomainScene& scene, const Topic& topic, std::int64_t at, Snapshot& into) {
  into.objects.push_back(topic_object(scene, topic));
  const std::size_t place = into.objects.size() - 1;
  for (const TopicPublisher& one : topic.publishers) {
    scene.add_edge(into, place, {.life = one.life, .relation = Relation::sends_to, .alive = lives(one.standing)});
  }
  for (const TopicSubscriber& one : topic.subscribers) {
    scene.add_edge(into, place,
                   {.life = one.life,
                    .relation = Relation::receives_from,
                    .alive = lives(one.standing),
                    .messages = sum(one, &TopicStanding::lag)});
    if (one.waits_for && lives(one.standing)) {
      scene.add_wait(into, place, one.life, "receive", Need::message, at - *one.waits_for);
    }
  }
}

}  // namespace

void read_topics(DomainScene& scene, Snapshot& into) {
  const auto all = topics(scene.path());
  if (!all) {
    scene.add_failure(into, all.error());
    return;
  }
  for (const Topic& topic : all->topics) {
    add_topic(scene, topic, all->at, into);
  }
  scene.add_unseen(into, all->unseen);
}

}  // namespace tenon::inspect
