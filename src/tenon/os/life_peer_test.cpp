#include <tenon/os/life_peer.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <tenon/os/life.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/stop.hpp>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tenon::Errc;
using tenon::Life;
using tenon::LifeName;
using tenon::LifeRecord;
using tenon::LifeStage;
using tenon::Peer;
using tenon::Standing;
using tenon::Token;
using testing::AllOf;
using testing::HasSubstr;

// A member that joins and waits to be killed, and its peer in the test's own process.
class PeerTest : public testing::Test {
 protected:
  static constexpr auto patience = 20s;

  // Runs `then` with the token of a member that lives in another process.
  void with_member(const std::function<void(Token, kit::Stage&, kit::Sides&)>& then) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    kit::Sides sides({{"member", [&](kit::Stage& stage) {
                         Life life = Life::join(scene_.domain()).or_throw();
                         const std::uint64_t token = life.token().value();
                         ASSERT_EQ(::write(ends[1], &token, sizeof token), ssize_t{sizeof token});
                         stage.await("leave");
                         std::move(life).leave().or_throw();
                       }}});
    std::uint64_t token = 0;
    ASSERT_EQ(::read(ends[0], &token, sizeof token), ssize_t{sizeof token});
    then(Token::from(token), sides.stage(), sides);
    ::close(ends[0]);
    ::close(ends[1]);
  }

  kit::UniqueDomain scene_;
};

TEST_F(PeerTest, waits_until_the_member_has_left) {
  with_member([&](Token token, kit::Stage& stage, kit::Sides&) {
    const Peer peer = Peer::open(scene_.domain(), token).or_throw();
    EXPECT_EQ(peer.standing().or_throw(), Standing::alive);
    stage.signal("leave");
    EXPECT_EQ(peer.wait_for_death(tenon::after(patience)).or_throw(), Standing::left);
  });
}

TEST_F(PeerTest, waits_until_the_member_has_died) {
  with_member([&](Token token, kit::Stage&, kit::Sides& sides) {
    const Peer peer = Peer::open(scene_.domain(), token).or_throw();
    sides.side("member").kill();
    EXPECT_EQ(peer.wait_for_death(tenon::after(patience)).or_throw(), Standing::died);
    tenon::sweep(scene_.domain()).or_throw();
    EXPECT_EQ(peer.standing().or_throw(), Standing::died);  // swept up, and still known to have died
    EXPECT_EQ(standing_of(scene_.domain(), token).or_throw(), Standing::absent);
  });
}

TEST_F(PeerTest, waits_no_longer_than_the_deadline_for_one_that_lives) {  // F55: nothing but its death ends a life
  with_member([&](Token token, kit::Stage& stage, kit::Sides& sides) {
    const Peer peer = Peer::open(scene_.domain(), token).or_throw();
    sides.side("member").process().signal(SIGSTOP).or_throw();
    EXPECT_TRUE(peer.wait_for_death(tenon::after(200ms)).failed_with(Errc::timed_out));
    EXPECT_TRUE(peer.wait_for_death(tenon::immediately).failed_with(Errc::timed_out));
    sides.side("member").process().signal(SIGCONT).or_throw();
    stage.signal("leave");
  });
}

TEST_F(PeerTest, is_stopped_while_it_waits) {
  with_member([&](Token token, kit::Stage& stage, kit::Sides&) {
    const Peer peer = Peer::open(scene_.domain(), token).or_throw();
    auto stop = tenon::Stop::create().or_throw();
    stop.request();
    EXPECT_TRUE(peer.wait_for_death(tenon::never.or_stop(stop)).failed_with(Errc::stopped));
    stage.signal("leave");
  });
}

TEST_F(PeerTest, knows_who_the_member_is) {
  with_member([&](Token token, kit::Stage& stage, kit::Sides& sides) {
    const Peer peer = Peer::open(scene_.domain(), token).or_throw();
    const LifeRecord record = peer.record().or_throw();
    EXPECT_EQ(record.pid, sides.side("member").process().pid());
    EXPECT_EQ(record.uid, ::geteuid());
    EXPECT_EQ(record.token, token.value());
    EXPECT_THAT(record.command.data(), HasSubstr("os_test"));
    EXPECT_THAT(peer.message(),
                AllOf(HasSubstr("pid " + std::to_string(record.pid)), HasSubstr("(uid "), HasSubstr("os_test")));
    stage.signal("leave");
  });
}

TEST_F(PeerTest, is_not_found_for_a_token_that_nobody_has) {
  EXPECT_TRUE(Peer::open(scene_.domain(), Token::random()).failed_with(Errc::not_found));
  EXPECT_EQ(standing_of(scene_.domain(), Token::random()).or_throw(), Standing::absent);
}

TEST_F(PeerTest, of_its_own_process_sees_it_leave) {
  Life life = Life::join(scene_.domain()).or_throw();
  const Peer peer = Peer::open(scene_.domain(), life.token()).or_throw();
  EXPECT_EQ(peer.standing().or_throw(), Standing::alive);
  EXPECT_EQ(peer.record().or_throw().pid, ::getpid());
  std::move(life).leave().or_throw();
  EXPECT_EQ(peer.standing().or_throw(), Standing::left);
}

TEST_F(PeerTest, of_its_own_process_is_refused_in_a_forked_child) {  // F35
  const Life life = Life::join(scene_.domain()).or_throw();
  const Peer peer = Peer::open(scene_.domain(), life.token()).or_throw();
  kit::run_sides({{"child", [&](kit::Stage&) {
                     EXPECT_TRUE(peer.standing().failed_with(Errc::in_child));
                     EXPECT_EQ(standing_of(scene_.domain(), life.token()).or_throw(), Standing::alive);
                   }}});
}

// A life file made by hand, which nobody holds.
class Forgery {
 public:
  explicit Forgery(const kit::UniqueDomain& scene) : scene_(scene) {
    name.who.pid += 1;  // of another process
    record.magic = tenon::life_magic;
    record.layout_version = tenon::life_layout_version;
    record.size = sizeof record;
    record.token = name.who.token.value();
  }
  ~Forgery() { std::filesystem::remove(path()); }
  Forgery(const Forgery&) = delete;
  Forgery& operator=(const Forgery&) = delete;

  std::string path() const { return scene_.path() + "/" + name.text(); }
  tenon::Result<LifeRecord> read(std::size_t size = sizeof(LifeRecord)) const {
    std::ofstream(path(), std::ios::binary)
        .write(reinterpret_cast<const char*>(&record), static_cast<std::streamsize>(size));
    return Peer::open(scene_.domain(), name.who.token).or_throw().record();
  }

  LifeName name = {.stage = LifeStage::member, .who = tenon::Member::self()};
  LifeRecord record{};

 private:
  const kit::UniqueDomain& scene_;
};

TEST_F(PeerTest, names_both_versions_when_the_layouts_differ) {  // F27
  Forgery forgery(scene_);
  forgery.record.layout_version = 7;
  const auto record = forgery.read();
  ASSERT_TRUE(record.failed_with(Errc::version_mismatch));
  EXPECT_THAT(record.error().message(), AllOf(HasSubstr("version 7"), HasSubstr("version 1")));
}

TEST_F(PeerTest, refuses_a_record_that_is_short_or_not_one) {  // F5
  Forgery forgery(scene_);
  EXPECT_TRUE(forgery.read()) << "whole";
  EXPECT_TRUE(forgery.read(0).failed_with(Errc::corrupt));
  EXPECT_TRUE(forgery.read(63).failed_with(Errc::corrupt));
  EXPECT_TRUE(forgery.read(511).failed_with(Errc::corrupt));
  ++forgery.record.token;
  EXPECT_TRUE(forgery.read().failed_with(Errc::corrupt));
  --forgery.record.token;
  forgery.record.magic[0] = 'X';
  EXPECT_TRUE(forgery.read().failed_with(Errc::corrupt));
  forgery.record.magic = tenon::life_magic;
  forgery.record.name.fill('n');  // without an end
  EXPECT_TRUE(forgery.read().failed_with(Errc::corrupt));
  EXPECT_EQ(standing_of(scene_.domain(), forgery.name.who.token).or_throw(), Standing::died);  // F5: whatever it says
}

TEST_F(PeerTest, escapes_what_a_member_calls_itself) {  // F3
  Forgery forgery(scene_);
  std::strcpy(forgery.record.command.data(), "evil\n\x1b[2J");
  EXPECT_TRUE(forgery.read());
  EXPECT_THAT(Peer::open(scene_.domain(), forgery.name.who.token).or_throw().message(), HasSubstr("evil\\n\\x1b[2J"));
}

TEST_F(PeerTest, refuses_what_only_has_the_name_of_a_life_file) {
  const Forgery forgery(scene_);
  ASSERT_EQ(::mkfifo(forgery.path().c_str(), 0600), 0);
  EXPECT_TRUE(Peer::open(scene_.domain(), forgery.name.who.token).failed_with(Errc::wrong_kind));
  EXPECT_EQ(tenon::sweep(scene_.domain()).or_throw().unreadable, 1U);
}

TEST(LifeName, is_read_as_it_was_written) {  // F51, F52: the whole name is the identity
  for (const LifeStage stage : {LifeStage::joining, LifeStage::member, LifeStage::leaving}) {
    const LifeName name{.stage = stage, .who = tenon::Member::self()};
    const auto read = LifeName::parse(name.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->stage, stage);
    EXPECT_EQ(read->who, name.who);
  }
}

TEST(Member, has_the_start_time_that_proc_tells) {  // F51
  const auto own = tenon::procfs::process(::getpid()).or_throw();
  EXPECT_EQ(tenon::Member::self().start_time, own.start_time);
  EXPECT_EQ(tenon::Member::self().pid_namespace, tenon::procfs::own_pid_namespace());
}

TEST(LifeName, is_not_read_from_other_names) {
  const std::string good = LifeName{.stage = LifeStage::member, .who = tenon::Member::self()}.text();
  for (const std::string& bad :
       {std::string(), std::string("life."), good + ".", good + "x", "x" + good, good.substr(0, 20),
        std::string("life.0123456789abcdef.1.017.1"), std::string("life.0123456789ABCDEF.1.17.1"),
        std::string("life.0123456789abcdef.1.17")}) {
    EXPECT_FALSE(LifeName::parse(bad)) << bad;
  }
}

}  // namespace
