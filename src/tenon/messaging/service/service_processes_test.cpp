// Services between processes: through, asleep, killed on either side, stopped, all at once and many times.
#include <tenon/messaging/service/service.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/os/life_sweep.hpp>
#include <tenon/os/process.hpp>

#include <kit/asleep.hpp>
#include <kit/numbers.hpp>
#include <kit/reported_child.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace tenon;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

using kit::is_whole;
using kit::numbered;
using Short = kit::Numbers<2>;
using Long = kit::Numbers<100>;

struct Member {
  explicit Member(const Domain& domain)
      : life(Life::join(domain).or_throw()), holder(Holder::of(domain, life).or_throw()) {}
  Life life;
  Holder holder;
};

template <class T>
class ServiceProcesses : public testing::Test {
 protected:
  using ServerOf = Server<T, T>;
  using ClientOf = Client<T, T>;
  kit::UniqueDomain unique_;
  const Domain& domain_ = unique_.domain();
  kit::Watchdog watchdog_{"a service between processes", std::chrono::seconds(60)};

  // Answers with the number that comes after, until it is killed.
  [[noreturn]] static void serve_for_ever(const Holder& holder) {
    auto server = ServerOf::create(holder, "s").or_throw();
    while (true) {
      auto call = server.receive(never).or_throw();
      (void)std::move(call).respond(numbered<T>(call.request()->number + 1));
    }
  }
  Child start_server() {
    return spawn([this]() -> int {
             const Member self(domain_);
             serve_for_ever(self.holder);
           })
        .or_throw();
  }
  // That takes calls and answers none.
  Child start_silent_server() {
    return spawn([this]() -> int {
             const Member self(domain_);
             auto server = ServerOf::create(self.holder, "s").or_throw();
             std::vector<ServedCall<T, T>> taken;
             while (true) {
               taken.push_back(server.receive(never).or_throw());
             }
           })
        .or_throw();
  }
  static void end(Child& child) {
    child.signal(SIGKILL).or_throw();
    (void)child.wait(never).or_throw();
  }
  static void wait_for_servers(ClientOf& client, std::size_t count) {
    while (client.servers() != count) {
      ::usleep(1000);
    }
  }
  // What the killed have left goes with the next who come.
  void TearDown() override { expect_clean(); }
  void expect_clean() {
    sweep(domain_).or_throw();
    {
      const Member self(domain_);
      ServerOf::create(self.holder, "s").or_throw();
    }
    EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("service.s")));
  }
};
using Sizes = testing::Types<Short, Long>;
TYPED_TEST_SUITE(ServiceProcesses, Sizes);

// The server may find the next call when the one before is answered and has not ended.
TYPED_TEST(ServiceProcesses, take_one_call_after_another_of_a_client_that_has_one_at_a_time) {
  const Member self(this->domain_);
  Child server = this->start_server();
  auto client = TestFixture::ClientOf::create(self.holder, "s", {.max_calls = 1}).or_throw();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(client.call(numbered<TypeParam>(i), after(5s)).or_throw()->number, i + 1);
  }
  TestFixture::end(server);
}

TYPED_TEST(ServiceProcesses, answers_however_both_wait) {
  auto child = this->start_server();
  const Member self(this->domain_);
  for (const Waiting waiting : {Waiting::adaptive, Waiting::sleep, Waiting::spin}) {
    auto client = Client<TypeParam, TypeParam>::create(self.holder, "s", {.waiting = waiting}).or_throw();
    for (std::uint64_t i = 1; i <= 500; ++i) {
      const auto answer = client.call(numbered<TypeParam>(i), after(20s)).or_throw();
      ASSERT_TRUE(is_whole(*answer));
      ASSERT_EQ(answer->number, i + 1);
    }
  }
  this->end(child);
}

// F63
TYPED_TEST(ServiceProcesses, a_killed_servers_calls_end_with_its_death) {
  auto child = this->start_silent_server();
  const Member self(this->domain_);
  auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  this->wait_for_servers(client, 1);
  auto pending = client.begin(numbered<TypeParam>(1), never).or_throw();
  auto other = client.begin(numbered<TypeParam>(2), never).or_throw();
  kit::until_asleep(child.pid());
  this->end(child);
  const auto told = pending.answer(never);
  ASSERT_TRUE(told.failed_with(Errc::peer_died));
  EXPECT_THAT(told.error().message(), HasSubstr("may have seen"));
  EXPECT_TRUE(pending.may_have_been_seen());
  EXPECT_TRUE(other.answer(never).failed_with(Errc::peer_died));
  EXPECT_EQ(client.servers(), 0U);
}

// F63
TYPED_TEST(ServiceProcesses, a_request_that_a_dead_server_has_not_seen_is_told_as_such) {
  auto child = this->start_server();
  const Member self(this->domain_);
  auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  (void)client.call(numbered<TypeParam>(1), never).or_throw();
  kit::until_asleep(child.pid());
  child.signal(SIGSTOP).or_throw();
  auto pending = client.begin(numbered<TypeParam>(2), never).or_throw();
  this->end(child);
  const auto told = pending.answer(never);
  ASSERT_TRUE(told.failed_with(Errc::peer_died));
  EXPECT_FALSE(pending.may_have_been_seen()) << told.error().message();
}

// F55
TYPED_TEST(ServiceProcesses, a_stopped_server_is_not_taken_for_dead) {
  auto child = this->start_server();
  const Member self(this->domain_);
  auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  (void)client.call(numbered<TypeParam>(1), never).or_throw();
  child.signal(SIGSTOP).or_throw();
  auto pending = client.begin(numbered<TypeParam>(2), never).or_throw();
  EXPECT_TRUE(pending.receive(after(200ms)).failed_with(Errc::timed_out));
  EXPECT_FALSE(pending.is_done());
  child.signal(SIGCONT).or_throw();
  EXPECT_EQ(pending.answer(never).or_throw()->number, 3U);
  this->end(child);
}

TYPED_TEST(ServiceProcesses, another_server_takes_the_calls_of_a_dead_one) {
  auto one = this->start_server();
  auto other = this->start_server();
  const Member self(this->domain_);
  auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  this->wait_for_servers(client, 2);
  this->end(one);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    auto answer = client.call(numbered<TypeParam>(i), after(20s));
    while (answer.failed_with(Errc::peer_died)) {
      answer = client.call(numbered<TypeParam>(i), after(20s));
    }
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ((*answer)->number, i + 1);
  }
  this->end(other);
}

// F58, F60
TYPED_TEST(ServiceProcesses, what_a_killed_client_held_is_free) {
  const Member self(this->domain_);
  auto server = Server<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  for (int turn = 0; turn < 3; ++turn) {
    auto child = spawn([&]() -> int {
                   const Member other(this->domain_);
                   auto client = Client<TypeParam, TypeParam>::create(other.holder, "s").or_throw();
                   auto pending = client.begin(numbered<TypeParam>(1), never).or_throw();
                   const auto held = pending.answer(never).or_throw();
                   auto another = client.begin(numbered<TypeParam>(2), never).or_throw();
                   kit::wait_to_be_killed();
                 }).or_throw();
    auto call = server.receive(never).or_throw();
    std::move(call).respond(numbered<TypeParam>(2)).or_throw();
    auto unanswered = server.receive(never).or_throw();
    EXPECT_EQ(server.clients(), 1U);
    this->end(child);
    while (!unanswered.is_cancelled()) {
      EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
    }
    EXPECT_TRUE(std::move(unanswered).respond(numbered<TypeParam>(3)).failed_with(Errc::peer_died));
    EXPECT_EQ(server.clients(), 0U);
  }
}

TYPED_TEST(ServiceProcesses, wakes_a_server_that_sleeps_when_its_client_dies_in_a_stream) {
  const Member self(this->domain_);
  auto server = Server<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  auto child = spawn([&]() -> int {
                 const Member other(this->domain_);
                 auto client = Client<TypeParam, TypeParam>::create(other.holder, "s").or_throw();
                 auto pending = client.begin(numbered<TypeParam>(1), never).or_throw();
                 kit::wait_to_be_killed();
               }).or_throw();
  auto call = server.receive(never).or_throw();
  while (call.send(numbered<TypeParam>(1), immediately)) {
  }
  this->end(child);
  EXPECT_TRUE(call.send(numbered<TypeParam>(1), never).failed_with(Errc::peer_died));
}

// F62, F6, F8
TYPED_TEST(ServiceProcesses, all_killed_at_once_leave_nothing_for_long) {
  for (int turn = 0; turn < 3; ++turn) {
    auto one = this->start_server();
    auto other = this->start_server();
    auto caller = spawn([&]() -> int {
                    const Member self(this->domain_);
                    auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
                    for (std::uint64_t i = 1;; ++i) {
                      (void)client.call(numbered<TypeParam>(i), never).or_throw();
                    }
                  }).or_throw();
    {
      const Member self(this->domain_);
      auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
      (void)client.call(numbered<TypeParam>(1), never).or_throw();
    }
    this->end(caller);
    this->end(one);
    this->end(other);
    this->expect_clean();
  }
}

// F64
TYPED_TEST(ServiceProcesses, many_restarts_leave_as_much_as_before) {
  const Member self(this->domain_);
  auto client = Client<TypeParam, TypeParam>::create(self.holder, "s").or_throw();
  const auto descriptors = [] { return kit::names_in("/proc/self/fd").size(); };
  std::size_t before = 0;
  for (int turn = 0; turn < 20; ++turn) {
    auto child = this->start_server();
    EXPECT_EQ(client.call(numbered<TypeParam>(1), never).or_throw()->number, 2U);
    this->end(child);
    this->wait_for_servers(client, 0);
    if (turn == 3) {
      before = descriptors();
    }
  }
  EXPECT_LE(descriptors(), before + 4);
}

}  // namespace
