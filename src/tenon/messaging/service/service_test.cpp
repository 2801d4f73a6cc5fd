#include <tenon/messaging/service/service.hpp>
#include <tenon/os/clock.hpp>

#include <tenon/memory/type_fields.hpp>
#include <tenon/messaging/dispatcher/dispatcher.hpp>
#include <tenon/messaging/dispatcher/task.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/process.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

using namespace tenon;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

struct Sum {
  std::int64_t a;
  std::int64_t b;
};
TENON_FIELDS(Sum, a, b);
struct Total {
  std::int64_t value;
};
TENON_FIELDS(Total, value);
struct Image {
  std::array<std::uint64_t, 100> words;
};
TENON_FIELDS(Image, words);
struct Scan {
  std::uint64_t number;
  Tail<std::uint32_t> ranges;
};
TENON_FIELDS(Scan, number, ranges);

struct Other {
  static constexpr std::string_view type_name = "Total";
  std::int32_t value;
};

using SumServer = Server<Sum, Total>;
using SumClient = Client<Sum, Total>;

class ServiceTest : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a service"};

  static void answer_one(SumServer& server) {
    auto call = server.receive(never).or_throw();
    const Sum sum = *call.request();
    std::move(call).respond({sum.a + sum.b}).or_throw();
  }
};

TEST_F(ServiceTest, answers_a_call) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  for (std::int64_t i = 0; i < 500; ++i) {
    auto pending = client.begin({.a = i, .b = 2}, after(5s)).or_throw();
    answer_one(server);
    const auto total = pending.answer(after(5s)).or_throw();
    EXPECT_EQ(total->value, i + 2);
    EXPECT_TRUE(total.is_last());
    EXPECT_EQ(pending.server(), ::getpid());
    EXPECT_FALSE(pending.receive(immediately).or_throw().has_value());
  }
  EXPECT_EQ(server.clients(), 1U);
  EXPECT_EQ(server.ignored() + client.ignored(), 0U);
}

TEST_F(ServiceTest, leaves_nothing_behind) {
  {
    auto server = SumServer::create(holder_, "sums").or_throw();
    auto client = SumClient::create(holder_, "sums").or_throw();
    auto pending = client.begin({.a = 1, .b = 2}, after(5s)).or_throw();
    answer_one(server);
    (void)pending.answer(after(5s)).or_throw();
  }
  EXPECT_THAT(kit::names_in(unique_.path()), testing::Not(testing::Contains("service.sums")));
}

TEST_F(ServiceTest, answers_several_calls_in_any_order) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  std::vector<PendingCall<Total>> pending;
  std::vector<ServedCall<Sum, Total>> served;
  for (std::int64_t i = 0; i < 8; ++i) {
    pending.push_back(client.begin({.a = i, .b = 100}, after(5s)).or_throw());
  }
  for (std::int64_t i = 0; i < 8; ++i) {
    served.push_back(server.receive(after(5s)).or_throw());
  }
  for (; !served.empty(); served.pop_back()) {
    std::move(served.back()).respond({served.back().request()->a}).or_throw();
  }
  for (const std::size_t i : {5U, 0U, 7U, 1U, 2U, 6U, 3U, 4U}) {
    EXPECT_EQ(pending[i].answer(after(5s)).or_throw()->value, static_cast<std::int64_t>(i));
  }
}

TEST_F(ServiceTest, carries_long_requests_and_responses_in_place) {
  auto server = Server<Image, Image>::create(holder_, "images").or_throw();
  auto client = Client<Image, Image>::create(holder_, "images").or_throw();
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto request = client.loan(after(5s)).or_throw();
    request->words.fill(i);
    auto pending = client.begin(std::move(request), after(5s)).or_throw();
    auto call = server.receive(after(5s)).or_throw();
    auto response = call.loan().or_throw();
    std::ranges::transform(call.request()->words, response->words.begin(), [](std::uint64_t w) { return w + 1; });
    std::move(call).respond(std::move(response)).or_throw();
    const auto image = pending.answer(after(5s)).or_throw();
    EXPECT_TRUE(std::ranges::all_of(image->words, [&](std::uint64_t w) { return w == i + 1; }));
  }
}

TEST_F(ServiceTest, carries_bytes_of_any_length) {
  auto server = Server<Bytes, Bytes>::create(holder_, "echo").or_throw();
  auto client = Client<Bytes, Bytes>::create(holder_, "echo").or_throw();
  for (const std::size_t bytes : {0U, 1U, 16U, 17U, 80U, 81U, 65536U}) {
    const std::vector<std::byte> sent(bytes, std::byte{7});
    auto pending = client.begin(sent, after(5s)).or_throw();
    auto call = server.receive(after(5s)).or_throw();
    EXPECT_TRUE(std::ranges::equal(*call.request(), sent));
    std::move(call).respond(*call.request()).or_throw();
    EXPECT_TRUE(std::ranges::equal(*pending.answer(after(5s)).or_throw(), sent));
  }
  EXPECT_TRUE(client.begin(std::vector<std::byte>(65537), after(5s)).failed_with(Errc::message_too_long));
}

TEST_F(ServiceTest, carries_slices_and_messages_with_a_tail) {
  auto server = Server<Slice<double>, Tailed<Scan>>::create(holder_, "scans").or_throw();
  auto client = Client<Slice<double>, Tailed<Scan>>::create(holder_, "scans").or_throw();
  auto request = client.loan(100, after(5s)).or_throw();
  std::iota(request.begin(), request.end(), 0.0);
  auto pending = client.begin(std::move(request), after(5s)).or_throw();
  auto call = server.receive(after(5s)).or_throw();
  ASSERT_EQ(call.request().size(), 100U);
  auto response = call.loan().or_throw();
  response->number = static_cast<std::uint64_t>(call.request()[99]);
  auto ranges = response.add(response->ranges, 3).or_throw();
  std::ranges::fill(ranges, 5U);
  std::move(call).respond(std::move(response)).or_throw();
  const auto scan = pending.answer(after(5s)).or_throw();
  EXPECT_EQ(scan->number, 99U);
  EXPECT_THAT(scan.tail(scan->ranges).or_throw(), testing::ElementsAre(5, 5, 5));
}

TEST_F(ServiceTest, tells_an_error_of_the_servers_own_apart) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  for (const std::size_t length : {0U, 20U, 80U, 81U, 239U, 240U, 500U}) {
    auto pending = client.begin({.a = 1, .b = 2}, after(5s)).or_throw();
    server.receive(after(5s)).or_throw().refuse(-42, std::string(length, 'x')).or_throw();
    const auto answer = pending.answer(after(5s));
    ASSERT_TRUE(answer.failed_with(Errc::aborted));
    ASSERT_NE(pending.refusal(), nullptr);
    EXPECT_EQ(pending.refusal()->code, -42);
    EXPECT_EQ(pending.refusal()->text, std::string(std::min<std::size_t>(length, 240), 'x'));
    EXPECT_THAT(answer.error().message(), HasSubstr("-42"));
  }
  auto dropped = client.begin({.a = 1, .b = 2}, after(5s)).or_throw();
  {
    const auto call = server.receive(after(5s)).or_throw();
  }
  EXPECT_TRUE(dropped.answer(after(5s)).failed_with(Errc::aborted));
  EXPECT_EQ(dropped.refusal(), nullptr);
}

TEST_F(ServiceTest, ends_a_call_at_its_deadline) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto pending = client.begin({.a = 1, .b = 2}, after(20ms)).or_throw();
  auto call = server.receive(after(5s)).or_throw();
  EXPECT_TRUE(pending.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_FALSE(pending.is_done());
  EXPECT_TRUE(pending.answer(never).failed_with(Errc::timed_out));
  EXPECT_TRUE(pending.is_done());
  EXPECT_TRUE(call.is_cancelled());
  EXPECT_FALSE(std::move(call).respond({3}).has_value());
  // And one that nobody waits for is not taken.
  EXPECT_TRUE(client.call({.a = 1, .b = 2}, after(1ms)).failed_with(Errc::timed_out));
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.unwanted(), 1U);
}

TEST_F(ServiceTest, a_call_that_is_dropped_too_late_has_come_to_its_deadline) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto pending = client.begin({.a = 1, .b = 2}, after(20ms)).or_throw();
  {
    const auto call = server.receive(after(5s)).or_throw();
    static_cast<void>(sleep_until(call.deadline()));
  }
  EXPECT_TRUE(pending.answer(never).failed_with(Errc::timed_out));
}

TEST_F(ServiceTest, tells_the_server_of_a_call_that_was_cancelled) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto pending = client.begin({.a = 1, .b = 2}, never).or_throw();
  auto call = server.receive(after(5s)).or_throw();
  EXPECT_FALSE(call.is_cancelled());
  EXPECT_TRUE(call.deadline().is_never());
  pending.cancel();
  EXPECT_TRUE(pending.receive(never).failed_with(Errc::stopped));
  EXPECT_TRUE(call.is_cancelled());
  EXPECT_TRUE(std::move(call).respond({3}).failed_with(Errc::aborted));
  // One that was cancelled while another was served is not taken.
  auto first = client.begin({.a = 1, .b = 2}, never).or_throw();
  {
    const auto dropped = client.begin({.a = 1, .b = 2}, never).or_throw();
  }
  answer_one(server);
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.unwanted(), 1U);
  EXPECT_EQ(first.answer(never).or_throw()->value, 3);
}

TEST_F(ServiceTest, a_stop_ends_the_wait) {
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto stop = Stop::create().or_throw();
  stop.request();
  EXPECT_TRUE(client.call({.a = 1, .b = 2}, never.or_stop(stop)).failed_with(Errc::stopped));
  auto server = SumServer::create(holder_, "sums").or_throw();
  EXPECT_TRUE(server.receive(never.or_stop(stop)).failed_with(Errc::stopped));
  EXPECT_TRUE(client.call({.a = 1, .b = 2}, after(5s).or_stop(stop)).failed_with(Errc::stopped));
}

TEST_F(ServiceTest, says_that_no_server_is_there) {
  auto client = SumClient::create(holder_, "sums").or_throw();
  EXPECT_TRUE(client.call({.a = 1, .b = 2}, immediately).failed_with(Errc::not_found));
  const auto late = client.call({.a = 1, .b = 2}, after(30ms));
  ASSERT_TRUE(late.failed_with(Errc::timed_out));
  EXPECT_THAT(late.error().message(), HasSubstr("no server of it is there"));
  EXPECT_EQ(client.servers(), 0U);
}

// F30
TEST_F(ServiceTest, names_the_field_that_differs) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  const auto client = Client<Sum, Sum>::create(holder_, "sums");
  ASSERT_TRUE(client.failed_with(Errc::type_mismatch));
  EXPECT_THAT(client.error().message(), HasSubstr("Service<Sum,Total>"));
  const auto alike = Client<Sum, Other>::create(holder_, "sums");
  ASSERT_TRUE(alike.failed_with(Errc::type_mismatch));
  EXPECT_THAT(alike.error().message(), HasSubstr("response"));
  EXPECT_TRUE(SumClient::create(holder_, "sums").has_value());
}

// F1, F2
TEST_F(ServiceTest, refuses_names_that_are_none) {
  for (const std::string& name : {std::string(""), std::string("a/b"), std::string(".."), std::string(250, 'x')}) {
    EXPECT_TRUE(SumServer::create(holder_, name).failed_with(Errc::invalid_name)) << name;
    EXPECT_TRUE(SumClient::create(holder_, name).failed_with(Errc::invalid_name)) << name;
  }
}

TEST_F(ServiceTest, has_no_more_calls_at_a_server_than_it_may) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums", {.max_calls = 2}).or_throw();
  auto one = client.begin({.a = 1, .b = 2}, never).or_throw();
  {
    const auto forgotten = client.begin({.a = 1, .b = 2}, never).or_throw();
  }
  // One that was given up has its place until its server is done with it.
  EXPECT_TRUE(client.begin({.a = 1, .b = 2}, immediately).failed_with(Errc::would_block));
  answer_one(server);
  EXPECT_TRUE(server.try_receive().failed_with(Errc::would_block));
  EXPECT_TRUE(client.begin({.a = 1, .b = 2}, after(5s)).has_value());
  EXPECT_EQ(one.answer(after(5s)).or_throw()->value, 3);
}

TEST_F(ServiceTest, shares_calls_among_servers) {
  auto one = SumServer::create(holder_, "sums").or_throw();
  auto other = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  EXPECT_EQ(client.servers(), 2U);
  std::vector<PendingCall<Total>> pending;
  for (int i = 0; i < 8; ++i) {
    pending.push_back(client.begin({.a = i, .b = 0}, after(5s)).or_throw());
  }
  for (int i = 0; i < 4; ++i) {
    answer_one(one);
  }
  const auto is_done = [](const auto& call) { return call.is_done(); };
  while (std::ranges::count_if(pending, is_done) < 4) {
    std::ranges::for_each(pending, [](auto& call) { (void)call.try_receive(); });
  }
  // The one that has answered is given all that come, until it has as many.
  for (int i = 0; i < 4; ++i) {
    pending.push_back(client.begin({.a = i, .b = 0}, after(5s)).or_throw());
  }
  for (int i = 0; i < 4; ++i) {
    answer_one(one);
    answer_one(other);
  }
  EXPECT_TRUE(one.try_receive().failed_with(Errc::would_block));
  EXPECT_TRUE(other.try_receive().failed_with(Errc::would_block));
}

TEST_F(ServiceTest, is_told_of_a_server_that_closed) {
  std::optional<SumServer> server(SumServer::create(holder_, "sums").or_throw());
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto before = client.begin({.a = 1, .b = 2}, never).or_throw();
  answer_one(*server);
  auto seen = client.begin({.a = 1, .b = 2}, never).or_throw();
  EXPECT_TRUE(server->receive(never).has_value());  // and given up
  auto unseen = client.begin({.a = 1, .b = 2}, never).or_throw();
  server.reset();
  EXPECT_EQ(before.answer(never).or_throw()->value, 3);
  EXPECT_TRUE(seen.answer(never).failed_with(Errc::aborted));
  const auto told = unseen.answer(never);
  ASSERT_TRUE(told.failed_with(Errc::closed));
  EXPECT_THAT(told.error().message(), HasSubstr("has not seen"));
  EXPECT_FALSE(unseen.may_have_been_seen());
  // And finds the one that comes after it.
  server.emplace(SumServer::create(holder_, "sums").or_throw());
  auto again = client.begin({.a = 3, .b = 4}, after(5s)).or_throw();
  answer_one(*server);
  EXPECT_EQ(again.answer(after(5s)).or_throw()->value, 7);
}

TEST_F(ServiceTest, is_told_of_a_server_that_closed_before_it_looked) {
  std::optional<SumServer> server(SumServer::create(holder_, "sums").or_throw());
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto unseen = client.begin({.a = 1, .b = 2}, never).or_throw();
  server.reset();
  EXPECT_TRUE(unseen.answer(never).failed_with(Errc::closed));
}

TEST_F(ServiceTest, drops_the_calls_of_a_client_that_left) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  std::optional<SumClient> client(SumClient::create(holder_, "sums").or_throw());
  std::optional pending(client->begin({.a = 1, .b = 2}, never).or_throw());
  auto call = server.receive(after(5s)).or_throw();
  pending.reset();
  client.reset();
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.clients(), 0U);
  EXPECT_TRUE(call.is_cancelled());
  EXPECT_TRUE(std::move(call).respond({3}).failed_with(Errc::closed));
}

// F35
TEST_F(ServiceTest, a_forked_child_is_refused) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto pending = client.begin({.a = 1, .b = 2}, never).or_throw();
  auto child = spawn([&] {
                 const bool refused = client.call({.a = 1, .b = 2}, after(1s)).failed_with(Errc::in_child) &&
                                      server.receive(after(1s)).failed_with(Errc::in_child) &&
                                      pending.receive(after(1s)).failed_with(Errc::in_child);
                 return refused ? 0 : 1;
               }).or_throw();
  EXPECT_EQ(child.wait(never).or_throw().code(), 0);
  answer_one(server);
  EXPECT_EQ(pending.answer(after(5s)).or_throw()->value, 3);
}

Task sum_of(Dispatcher& dispatcher, SumClient& client, std::int64_t a, std::int64_t& into) {
  auto call = client.begin({.a = a, .b = 1000}, after(5s)).or_throw();
  auto part = (co_await dispatcher.next(call)).or_throw();
  into += (*part)->value;
}

TEST_F(ServiceTest, several_calls_are_awaited_at_once) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto dispatcher = Dispatcher::create().or_throw();
  auto serving = dispatcher
                     .on_message(server,
                                 [](Result<ServedCall<Sum, Total>> call) {
                                   const Sum sum = *call->request();
                                   std::move(*call).respond({sum.a + sum.b}).or_throw();
                                 })
                     .or_throw();
  std::int64_t all = 0;
  std::vector<Task> tasks;
  for (std::int64_t i = 1; i <= 3; ++i) {
    tasks.push_back(sum_of(dispatcher, client, i, all));
  }
  while (!std::ranges::all_of(tasks, &Task::is_done)) {
    ASSERT_TRUE(dispatcher.run_once(after(5s)));
  }
  EXPECT_EQ(all, 3006);
}

TEST_F(ServiceTest, a_call_is_readable_once_another_has_taken_its_response) {
  auto server = SumServer::create(holder_, "sums").or_throw();
  auto client = SumClient::create(holder_, "sums").or_throw();
  auto one = client.begin({.a = 1, .b = 0}, never).or_throw();
  auto other = client.begin({.a = 2, .b = 0}, never).or_throw();
  ASSERT_TRUE(one.fd());
  ASSERT_TRUE(other.fd());
  EXPECT_TRUE(other.try_receive().failed_with(Errc::would_block));
  auto first = server.receive(never).or_throw();
  auto second = server.receive(never).or_throw();
  std::move(second).respond({2}).or_throw();
  EXPECT_TRUE(one.try_receive().failed_with(Errc::would_block));
  EXPECT_TRUE(wait_ready(other.fd().or_throw(), Ready::reading, after(5s)));
  EXPECT_EQ((*other.try_receive().or_throw())->value, 2);
}

}  // namespace
