// Tenon's topics, services, streams and boards as a snapshot of the machine shows them, with real processes that take
// part and sleep.
#include "fixture.hpp"

#include <tenon/messaging/blackboard/blackboard.hpp>
#include <tenon/messaging/service/service.hpp>
#include <tenon/messaging/stream/stream.hpp>
#include <tenon/messaging/topic/topic.hpp>
#include <tenon/os/clock.hpp>

#include <array>

namespace snapshots {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SnapshotOfDomain, a_topic_tells_who_publishes_who_sleeps_for_a_message_and_since_when) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto publisher = Publisher<Pose>::create(self, "pose").or_throw();
  Child listener = start([](const Holder& holder) {
    auto subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
    (void)subscriber.receive(never);
  });
  const Snapshot all = until([&](const Snapshot& now) { return wait_of(now, listener.pid(), Kind::topic) != nullptr; });
  const std::size_t at = place(all, Kind::topic, "pose");
  EXPECT_EQ(all.objects[at].domain, unique_.path());
  EXPECT_EQ(all.objects[at].owner, ::geteuid());
  EXPECT_EQ(all.objects[at].figure("publishers"), 1U);
  EXPECT_EQ(all.objects[at].figure("subscribers"), 1U);
  EXPECT_NE(edge(all, at, ::getpid(), Relation::sends_to), nullptr);
  EXPECT_NE(edge(all, at, listener.pid(), Relation::receives_from), nullptr);
  const Wait& wait = *wait_of(all, listener.pid(), Kind::topic);
  EXPECT_EQ(wait.need, Need::message);
  EXPECT_THAT(wait.objects, ElementsAre(at));
  ASSERT_TRUE(wait.since);
  EXPECT_LE(*wait.since, monotonic_now());
  EXPECT_TRUE(all.is_awaited(at));
  ASSERT_NE(all.process(listener.pid()), nullptr);
  end(listener);
  const Snapshot after_death = look();
  const Edge* const dead =
      edge(after_death, place(after_death, Kind::topic, "pose"), listener.pid(), Relation::receives_from);
  ASSERT_NE(dead, nullptr);
  EXPECT_TRUE(dead->ended);
  EXPECT_EQ(wait_of(after_death, listener.pid(), Kind::topic), nullptr) << "the dead do not wait";
}

TEST_F(SnapshotOfDomain, a_topic_tells_who_is_behind_and_by_how_much) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto publisher = Publisher<Pose>::create(self, "pose").or_throw();
  Child laggard = start([](const Holder& holder) {
    auto subscriber = Subscriber<Pose>::create(holder, "pose").or_throw();
    kit::wait_to_be_killed();
  });
  while (publisher.subscribers().empty()) {
    ::sched_yield();
  }
  for (int i = 0; i < 5; ++i) {
    publisher.publish({.x = 1}, never).or_throw();
  }
  const Snapshot all = look();
  const std::size_t at = place(all, Kind::topic, "pose");
  EXPECT_EQ(all.objects[at].figure("lag"), 5U);
  EXPECT_EQ(all.objects[at].figure("published"), 5U);
  ASSERT_NE(edge(all, at, laggard.pid(), Relation::receives_from), nullptr);
  EXPECT_EQ(edge(all, at, laggard.pid(), Relation::receives_from)->messages, 5U);
  EXPECT_FALSE(all.is_awaited(at));
  end(laggard);
}

TEST_F(SnapshotOfDomain, a_service_tells_its_server_that_sleeps_and_its_client_that_waits) {
  Child server = start([](const Holder& holder) {
    auto calculator = Server<Pose, Pose>::create(holder, "calculator").or_throw();
    const auto first = calculator.receive(never).or_throw();
    kit::wait_to_be_killed();
  });
  until([&](const Snapshot& now) { return wait_of(now, server.pid(), Kind::service) != nullptr; });
  Child client = start([](const Holder& holder) {
    auto caller = Client<Pose, Pose>::create(holder, "calculator").or_throw();
    (void)caller.call({.x = 1}, never);
  });
  const Snapshot all = until([&](const Snapshot& now) {
    return wait_of(now, client.pid(), Kind::service) != nullptr && wait_of(now, server.pid(), Kind::service) == nullptr;
  });
  const std::size_t at = place(all, Kind::service, "calculator");
  EXPECT_EQ(all.objects[at].figure("servers"), 1U);
  EXPECT_EQ(all.objects[at].figure("clients"), 1U);
  EXPECT_EQ(all.objects[at].figure("received"), 1U);
  EXPECT_NE(edge(all, at, client.pid(), Relation::sends_to), nullptr);
  EXPECT_NE(edge(all, at, server.pid(), Relation::receives_from), nullptr);
  EXPECT_EQ(wait_of(all, client.pid(), Kind::service)->need, Need::message);
  end(client);
  end(server);
}

TEST_F(SnapshotOfDomain, a_stream_tells_who_waits_for_the_other_end_for_bytes_and_for_room) {
  Child writer = start([](const Holder& holder) {
    auto stream = StreamWriter::open(holder, "bytes", never).or_throw();
    std::array<char, 5> bytes{};
    stream.write(bytes_of(std::string_view(bytes.data(), bytes.size())), never).or_throw();
    kit::wait_to_be_killed();
  });
  Snapshot all = until([&](const Snapshot& now) { return wait_of(now, writer.pid(), Kind::stream) != nullptr; });
  EXPECT_EQ(wait_of(all, writer.pid(), Kind::stream)->need, Need::peer);
  EXPECT_EQ(object(all, Kind::stream, "bytes")->state, "nobody reads");
  Child reader = start([](const Holder& holder) {
    auto stream = StreamReader::open(holder, "bytes", never).or_throw();
    std::array<std::byte, 3> bytes{};
    (void)stream.read(bytes, never).or_throw();
    (void)stream.read(bytes, never).or_throw();
    (void)stream.read(bytes, never);
  });
  all = until([&](const Snapshot& now) {
    const Wait* const wait = wait_of(now, reader.pid(), Kind::stream);
    return wait != nullptr && wait->need == Need::message;
  });
  const std::size_t at = place(all, Kind::stream, "bytes");
  EXPECT_EQ(all.objects[at].figure("written"), 5U);
  EXPECT_EQ(all.objects[at].figure("unread_bytes"), 0U);
  EXPECT_EQ(all.objects[at].state, "");
  EXPECT_TRUE(wait_of(all, reader.pid(), Kind::stream)->since);
  EXPECT_NE(edge(all, at, writer.pid(), Relation::sends_to), nullptr);
  EXPECT_NE(edge(all, at, reader.pid(), Relation::receives_from), nullptr);
  end(reader);
  all = look();
  EXPECT_EQ(object(all, Kind::stream, "bytes")->state, "the reader died");
  end(writer);
}

TEST_F(SnapshotOfDomain, a_writer_of_a_full_stream_waits_for_room) {
  Child reader = start([](const Holder& holder) {
    auto stream = StreamReader::open(holder, "full", never).or_throw();
    kit::wait_to_be_killed();
  });
  Child writer = start([](const Holder& holder) {
    auto stream = StreamWriter::open(holder, "full", never).or_throw();
    const std::vector<std::byte> much(std::size_t{1} << 20);
    while (stream.write(much, never)) {
    }
  });
  const Snapshot all = until([&](const Snapshot& now) {
    const Wait* const wait = wait_of(now, writer.pid(), Kind::stream);
    return wait != nullptr && wait->need == Need::room;
  });
  const Object& stream = *object(all, Kind::stream, "full");
  EXPECT_EQ(stream.figure("unread_bytes"), stream.figure("max_unread_bytes"));
  end(writer);
  end(reader);
}

TEST_F(SnapshotOfDomain, a_board_tells_its_keys_and_who_has_it_mapped) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto board = Blackboard<FixedString<12>, Pose>::create(self, "prices").or_throw();
  board.write("ACME", Pose{.x = 1}, never).or_throw();
  const Snapshot all = look();
  const std::size_t at = place(all, Kind::board, "prices");
  EXPECT_EQ(all.objects[at].figure("keys"), 1U);
  EXPECT_EQ(all.objects[at].figure("written"), 1U);
  ASSERT_NE(edge(all, at, ::getpid(), Relation::maps), nullptr);
  EXPECT_TRUE(edge(all, at, ::getpid(), Relation::maps)->writes);
  Blackboard<FixedString<12>, Pose>::remove(unique_.domain(), "prices").or_throw();
}

TEST_F(SnapshotOfDomain, a_domain_that_is_not_there_has_nothing_and_is_no_news) {
  const Snapshot all = inspect::snapshot(
      {.kinds = {Kind::topic, Kind::queue}, .directories = {}, .domains = {{unique_.path() + "/none"}}});
  EXPECT_THAT(all.objects, IsEmpty());
  EXPECT_FALSE(std::ranges::any_of(all.unseen, [](const std::string& one) { return one.starts_with("domain"); }));
}

TEST_F(SnapshotOfDomain, the_one_of_the_environment_is_looked_at_unless_others_are_named) {
  const Life life = Life::join(unique_.domain()).or_throw();
  const Holder self = Holder::of(unique_.domain(), life).or_throw();
  auto publisher = Publisher<Pose>::create(self, "pose").or_throw();
  EXPECT_NE(object(inspect::snapshot({.kinds = {Kind::topic}, .directories = {}}), Kind::topic, "pose"), nullptr);
}

}  // namespace
}  // namespace snapshots
