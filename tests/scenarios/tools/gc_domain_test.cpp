#include "fixture.hpp"
#include "gc_members.hpp"

#include <tenon/channel/receiver.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/private_namespaces.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <sys/stat.h>
#include <unistd.h>

namespace tools {
namespace {

using namespace tenon;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A member that has made what `body` makes, and is killed with it.
void by_a_dead_member(const Domain& domain, const std::function<void(const Holder&)>& body) {
  Child child = spawn([&] {
                  const Life life = Life::join(domain).or_throw();
                  const Holder holder = Holder::of(domain, life).or_throw();
                  body(holder);
                  return 1;
                }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw(), ExitStatus::killed(SIGKILL));
}

json found_in(const kit::UniqueDomain& domain, std::vector<std::string> options = {}) {
  options.insert(options.begin(), {"gc", "--json", "--domain", domain.path()});
  for (const char* kind : {"life", "channel", "topic", "service", "stream", "queue", "board"}) {
    options.insert(options.end(), {"--mechanism", kind});
  }
  const Finished finished = run(options);
  EXPECT_TRUE(finished.status.success()) << finished.errors;
  return parsed(finished)["found"];
}

bool is_left_over(const json& found, const std::string& kind, const std::string& name) {
  return std::ranges::any_of(found, [&](const json& row) {
    return row["kind"] == kind && row["name"] == name && row["verdict"] == "left_over";
  });
}

TEST(ToolsGcDomain, a_topic_a_service_and_a_stream_of_the_dead_go_with_their_lives) {
  kit::UniqueDomain domain;
  by_a_dead_member(domain.domain(), [](const Holder& holder) {
    const auto publisher = Publisher<Word>::create(holder, "pose").or_throw();
    const auto server = Server<Word, Word>::create(holder, "adder").or_throw();
    (void)StreamWriter::open(holder, "frames", immediately);  // nobody reads: its file goes again
    ::raise(SIGKILL);
  });
  kill_in_a_stream(domain.domain(), "frames");
  const json found = found_in(domain);
  EXPECT_TRUE(is_left_over(found, "topic", "pose")) << found;
  EXPECT_TRUE(is_left_over(found, "service", "adder")) << found;
  EXPECT_TRUE(is_left_over(found, "stream", "frames")) << found;
  EXPECT_THAT(kit::names_in(domain.path()), Contains("topic.pose")) << "a dry run";
  found_in(domain, {"--apply"});
  EXPECT_THAT(kit::names_in(domain.path()), testing::IsEmpty());
}

TEST(ToolsGcDomain, what_a_living_member_takes_part_in_stays_without_the_files_of_the_dead) {
  kit::UniqueDomain domain;
  {
    const Life life = Life::join(domain.domain()).or_throw();
    const Holder holder = Holder::of(domain.domain(), life).or_throw();
    auto publisher = Publisher<Word>::create(holder, "pose").or_throw();
    auto server = Server<Word, Word>::create(holder, "adder").or_throw();
    by_a_dead_member(domain.domain(), [](const Holder& dying) {
      const auto subscriber = Subscriber<Word>::create(dying, "pose").or_throw();
      const auto client = Client<Word, Word>::create(dying, "adder").or_throw();
      ::raise(SIGKILL);
    });
    EXPECT_TRUE(is_left_over(found_in(domain), "topic", "pose"));
    found_in(domain, {"--apply"});
    EXPECT_THAT(kit::names_in(domain.path() + "/topic.pose"), Not(Contains(StartsWith("sub."))));
    EXPECT_THAT(kit::names_in(domain.path() + "/topic.pose"), Contains(StartsWith("pub.")));
    EXPECT_THAT(kit::names_in(domain.path() + "/service.adder"), testing::ElementsAre(StartsWith("server.")));
    EXPECT_TRUE(publisher.try_publish({.number = 1}));
    EXPECT_TRUE(found_in(domain).empty());
  }
  found_in(domain, {"--apply"});
}

TEST(ToolsGcDomain, a_queue_and_a_board_stay_and_are_told_as_not_judged) {
  kit::UniqueDomain domain;
  by_a_dead_member(domain.domain(), [](const Holder& holder) {
    auto queue = Queue<Word>::open_or_create(holder, "jobs").or_throw();
    queue.try_send({.number = 1}).or_throw();
    ::raise(SIGKILL);
  });
  const json found = found_in(domain, {"--apply", "--likely"});
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(std::ranges::any_of(found, [](const json& row) {
    return row["kind"] == "queue" && row["verdict"] == "unjudged" && !row["removed"];
  })) << found;
  EXPECT_TRUE(run({"rm", "--domain", domain.path(), "queue:jobs"}).status.success());
  EXPECT_THAT(kit::names_in(domain.path()), testing::IsEmpty());
}

TEST(ToolsGcDomain, a_channel_of_the_dead_goes_with_its_kernel_object) {
  kit::in_private_namespaces([] {
    kit::UniqueDomain domain;
    const auto empty = kit::names_in("/dev/shm");
    Child child = spawn([&] {
                    const auto receiver = open_receiver("shm:frames", never).or_throw();
                    return 1;
                  }).or_throw();
    kit::until_asleep(child.pid());  // it waits for a sender, at its object
    child.signal(SIGKILL).or_throw();
    child.wait(never).or_throw();
    ASSERT_GT(kit::names_in("/dev/shm").size(), empty.size());
    EXPECT_TRUE(is_left_over(found_in(domain), "channel", "shm:frames"));
    found_in(domain, {"--apply"});
    EXPECT_THAT(kit::names_in(domain.path()), testing::IsEmpty());
    EXPECT_EQ(kit::names_in("/dev/shm"), empty);
  });
}

TEST(ToolsRmDomain, a_stream_and_a_service_of_the_dead_are_removed_by_name_and_of_the_living_they_are_refused) {
  kit::UniqueDomain domain;
  {
    const Life life = Life::join(domain.domain()).or_throw();
    const Holder holder = Holder::of(domain.domain(), life).or_throw();
    const auto server = Server<Word, Word>::create(holder, "adder").or_throw();
    const Finished refused = run({"rm", "--domain", domain.path(), "service:adder"});
    EXPECT_EQ(refused.status, ExitStatus::exited(1));
    EXPECT_THAT(refused.errors, HasSubstr("held by " + std::to_string(::getpid())));
  }
  by_a_dead_member(domain.domain(), [](const Holder& holder) {
    const auto server = Server<Word, Word>::create(holder, "adder").or_throw();
    ::raise(SIGKILL);
  });
  kill_in_a_stream(domain.domain(), "frames");
  for (const char* target : {"service:adder", "stream:frames"}) {
    EXPECT_TRUE(run({"rm", "--domain", domain.path(), target}).status.success()) << target;
    const Finished again = run({"rm", "--domain", domain.path(), target});
    EXPECT_EQ(again.status, ExitStatus::exited(1)) << target;
    EXPECT_THAT(again.errors, HasSubstr("not found")) << target;
  }
  found_in(domain, {"--apply"});
}

// Somebody has put into a topic's directory what is none of it, so that the directory cannot go.
TEST(ToolsGcDomain, what_is_still_there_afterwards_is_told_as_staying_and_not_as_removed) {
  kit::UniqueDomain domain;
  by_a_dead_member(domain.domain(), [](const Holder& holder) {
    const auto publisher = Publisher<Word>::create(holder, "pose").or_throw();
    ::raise(SIGKILL);
  });
  const std::string notes = domain.path() + "/topic.pose/notes";
  std::ofstream(notes) << "mine";
  ASSERT_EQ(::chmod(notes.c_str(), 0600), 0);
  const Finished applied = run({"gc", "--domain", domain.path(), "--mechanism", "topic", "--apply"});
  EXPECT_EQ(applied.status, ExitStatus::exited(1));
  EXPECT_THAT(applied.output, testing::ContainsRegex("topic +pose +stays"));
  EXPECT_THAT(applied.errors, HasSubstr("it is still there"));
  EXPECT_EQ(::unlink(notes.c_str()), 0);
  found_in(domain, {"--apply"});
  EXPECT_THAT(kit::names_in(domain.path()), testing::IsEmpty());
}

TEST(ToolsRmDomain, a_board_that_the_living_have_mapped_is_refused_and_goes_with_force) {
  kit::UniqueDomain domain;
  const std::vector<std::string> rm = {"rm", "--domain", domain.path(), "board:prices"};
  {
    const Life life = Life::join(domain.domain()).or_throw();
    const Holder holder = Holder::of(domain.domain(), life).or_throw();
    auto board = Blackboard<FixedString<12>, Word>::create(holder, "prices").or_throw();
    const Finished refused = run(rm);
    EXPECT_EQ(refused.status, ExitStatus::exited(1));
    EXPECT_THAT(refused.errors, HasSubstr("held by " + std::to_string(::getpid()) + "; --force"));
    EXPECT_THAT(kit::names_in(domain.path()), Contains("board.prices"));
    EXPECT_TRUE(run({"rm", "--domain", domain.path(), "board:prices", "--force"}).status.success());
    EXPECT_THAT(kit::names_in(domain.path()), Not(Contains("board.prices")));
    const auto another = Blackboard<FixedString<12>, Word>::create(holder, "prices").or_throw();
  }
  EXPECT_TRUE(run(rm).status.success()) << "nobody has it any more";
  found_in(domain, {"--apply"});
}

}  // namespace
}  // namespace tools
