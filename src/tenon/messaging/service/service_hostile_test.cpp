// An end of a service that writes garbage: it is passed over and counted, or its calls end as corrupt; nobody crashes
// or waits for ever.
#include <tenon/messaging/service/service.hpp>

#include <tenon/memory/type_fields.hpp>

#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

struct Sum {
  std::int64_t a;
  std::int64_t b;
};
TENON_FIELDS(Sum, a, b);
struct Image {
  std::array<std::uint64_t, 100> words;
};
TENON_FIELDS(Image, words);

class ServiceHostile : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a service among the hostile"};

  static constexpr PublisherOptions options{.depth = 256, .held = 8, .timestamps = Timestamps::none};
  // An endpoint in the inbox of the first member that has this role.
  template <class Of>
  std::unique_ptr<CallPublisher> publisher_at(ServiceRole role, Token token, bool in_chunks) {
    auto folder = ServiceFolder::open(holder_, "s").or_throw();
    for (const ServiceMember& member : folder.members().or_throw()) {
      if (member.role == role) {
        const auto shape = shape_of(options, sizeof(Of), sizeof(CallEntry), in_chunks).or_throw();
        return CallPublisher::create_at(folder.enter(member).or_throw(), holder_, options, shape,
                                        service_type<Sum, Of>(), token)
            .or_throw();
      }
    }
    throw std::runtime_error("nobody is there");
  }
  static Token token_of(const ServiceFolder& folder, ServiceRole role) {
    for (const ServiceMember& member : folder.members().or_throw()) {
      if (member.role == role) {
        return member.token;
      }
    }
    throw std::runtime_error("nobody is there");
  }
  std::filesystem::path path_of_requests(Token client) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(unique_.path())) {
      if (entry.path().filename().string().starts_with("pub." + client.hex())) {
        return entry.path();
      }
    }
    throw std::runtime_error("it publishes nowhere");
  }
  static CallHead some_head(std::mt19937_64& random) {
    return CallHead::unpack(random() % 4 == 0 ? random() : (1ULL << 12) | (random() % 3), random(), random());
  }
  static Outgoing some_payload(std::mt19937_64& random) {
    Outgoing out = Outgoing::nothing();
    std::ranges::generate(out.words, [&] { return random() % 2 == 0 ? random() : random() % 64; });
    out.bytes = random() % 2 == 0 ? random() : random() % 200;
    return out;
  }
  // Also of chunks that are not there: said in the entry alone.
  static void publish_some(CallPublisher& publisher, std::mt19937_64& random) {
    (void)publish_call(publisher, some_head(random), some_payload(random), immediately);
  }
};

// F20, F80
TEST_F(ServiceHostile, a_server_passes_over_what_no_client_can_have_meant) {
  auto server = Server<Sum, Sum>::create(holder_, "s").or_throw();
  auto hostile = publisher_at<Sum>(ServiceRole::server, Token::random(), false);
  auto client = Client<Sum, Sum>::create(holder_, "s").or_throw();
  std::mt19937_64 random(1);
  for (int turn = 0; turn < 2000; ++turn) {
    for (int i = 0; i < 10; ++i) {
      publish_some(*hostile, random);
    }
    auto pending = client.begin({.a = turn, .b = 1}, never).or_throw();
    while (!pending.is_done()) {
      if (auto call = server.try_receive()) {
        (void)std::move(*call).respond(*call->request());
      }
      if (auto part = pending.try_receive()) {
        ASSERT_EQ((**part)->a, turn);
      }
    }
  }
  EXPECT_GT(server.ignored(), 1000U);
}

// F20
TEST_F(ServiceHostile, a_request_of_another_length_is_none) {
  auto server = Server<Sum, Sum>::create(holder_, "s").or_throw();
  auto inbox = Client<Sum, Sum>::create(holder_, "s").or_throw();  // what follows says that this is its own
  const Token token = token_of(ServiceFolder::open(holder_, "s").or_throw(), ServiceRole::client);
  std::filesystem::remove(path_of_requests(token));
  auto hostile = publisher_at<Sum>(ServiceRole::server, token, false);
  Outgoing out = Outgoing::nothing();
  for (const std::uint64_t bytes : {0ULL, 15ULL, 17ULL, 80ULL, 1ULL << 39}) {
    out.bytes = bytes;
    publish_call(*hostile, {.number = bytes, .detail = never.nanoseconds(), .calls = 4, .window = 4}, out, never)
        .or_throw();
  }
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.ignored(), 5U);
}

// F80
TEST_F(ServiceHostile, a_client_that_asks_for_too_much_is_not_heard) {
  auto server = Server<Sum, Image>::create(holder_, "s", {.most_bytes_per_client = 1 << 20}).or_throw();
  auto hostile = publisher_at<Image>(ServiceRole::server, Token::random(), false);
  const auto call = [&](std::uint8_t calls, std::uint16_t window, std::uint32_t held) {
    Outgoing sum = Outgoing::nothing();
    sum.bytes = sizeof(Sum);
    publish_call(*hostile,
                 {.number = 1, .detail = never.nanoseconds(), .calls = calls, .window = window, .count = held}, sum,
                 never)
        .or_throw();
  };
  call(0, 1, 1);
  call(65, 1, 1);
  call(1, 0, 1);
  call(1, 1025, 1);
  call(1, 1, 1025);
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.ignored(), 5U);
  call(64, 1024, 1);
  EXPECT_TRUE(server.receive(after(1s)).failed_with(Errc::limit_reached));
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.clients(), 0U);
}

// F80
TEST_F(ServiceHostile, a_client_has_no_more_calls_than_it_said) {
  auto server = Server<Sum, Sum>::create(holder_, "s").or_throw();
  auto inbox = Client<Sum, Sum>::create(holder_, "s").or_throw();  // what follows says that this is its own
  const Token token = token_of(ServiceFolder::open(holder_, "s").or_throw(), ServiceRole::client);
  std::filesystem::remove(path_of_requests(token));
  auto hostile = publisher_at<Sum>(ServiceRole::server, token, false);
  const Sum sum{.a = 1, .b = 2};
  for (std::uint64_t number = 1; number <= 10; ++number) {
    const CallHead head{.number = number / 2, .detail = never.nanoseconds(), .calls = 3, .window = 1};
    publish_call(*hostile, head, Outgoing::copy_of(PayloadArgument<Sum>::bytes(sum)), never).or_throw();
  }
  std::vector<ServedCall<Sum, Sum>> served;
  for (int i = 0; i < 3; ++i) {
    served.push_back(server.receive(never).or_throw());  // 0, 1 and 2; each number once
  }
  EXPECT_TRUE(server.receive(after(1ms)).failed_with(Errc::timed_out));
  EXPECT_EQ(server.ignored(), 7U);
}

// F20, F22
TEST_F(ServiceHostile, a_client_takes_no_answer_of_somebody_elses_call) {
  auto server = Server<Sum, Sum>::create(holder_, "s").or_throw();
  auto client = Client<Sum, Sum>::create(holder_, "s").or_throw();
  auto hostile = publisher_at<Sum>(ServiceRole::client, Token::random(), false);
  auto pending = client.begin({.a = 1, .b = 2}, never).or_throw();
  const Sum wrong{.a = 66, .b = 66};
  const Outgoing lie = Outgoing::copy_of(PayloadArgument<Sum>::bytes(wrong));
  for (std::uint64_t place = 0; place < 4; ++place) {
    publish_call(*hostile, {.number = (1ULL << 12) | place, .kind = CallKind::last}, lie, never).or_throw();
  }
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    publish_some(*hostile, random);
  }
  EXPECT_TRUE(pending.receive(after(100ms)).failed_with(Errc::timed_out));
  EXPECT_GE(client.ignored(), 4U);
  auto call = server.receive(never).or_throw();
  std::move(call).respond({.a = 3, .b = 4}).or_throw();
  EXPECT_EQ(pending.answer(never).or_throw()->a, 3);
}

// F80
TEST_F(ServiceHostile, a_flood_that_is_no_calls_keeps_none_from_its_deadline) {
  auto server = Server<Sum, Sum>::create(holder_, "s").or_throw();
  auto client = Client<Sum, Sum>::create(holder_, "s").or_throw();
  auto hostile = publisher_at<Sum>(ServiceRole::client, Token::random(), false);
  auto pending = client.begin({.a = 1, .b = 2}, never).or_throw();
  const Outgoing lie = Outgoing::copy_of(PayloadArgument<Sum>::bytes(Sum{.a = 66, .b = 66}));
  constexpr std::uint64_t flood = 100;
  for (std::uint64_t i = 0; i < flood; ++i) {
    publish_call(*hostile, {.number = 1ULL << 12, .kind = CallKind::last}, lie, after(5s)).or_throw();
  }
  EXPECT_TRUE(pending.receive(immediately).failed_with(Errc::would_block));
  EXPECT_GT(client.ignored(), 0U);
  EXPECT_LT(client.ignored(), flood);  // it did not look through all of it first
}

// F20, F80
TEST_F(ServiceHostile, a_server_that_writes_garbage_ends_its_own_calls_alone) {
  auto server = Server<Sum, Image>::create(holder_, "s").or_throw();
  auto client = Client<Sum, Image>::create(holder_, "s", {.max_calls = 64}).or_throw();
  const Token token = token_of(ServiceFolder::open(holder_, "s").or_throw(), ServiceRole::server);
  auto hostile = publisher_at<Image>(ServiceRole::client, token, true);
  std::mt19937_64 random(3);
  std::uint64_t corrupt = 0;
  for (std::uint64_t turn = 1; turn < 50; ++turn) {
    auto pending = client.begin({.a = 1, .b = 2}, after(10ms)).or_throw();
    for (int i = 0; i < 3; ++i) {
      CallHead head = some_head(random);
      head.number = turn << 12;
      head.kind = i % 2 == 0 ? CallKind::part : head.kind;
      Outgoing out = some_payload(random);
      (void)publish_call(*hostile, head, out, immediately);
    }
    const auto answer = pending.answer(after(5s));
    EXPECT_FALSE(answer.has_value());
    corrupt += answer.failed_with(Errc::corrupt) ? 1 : 0;
  }
  EXPECT_GT(corrupt, 20U);
}

}  // namespace
