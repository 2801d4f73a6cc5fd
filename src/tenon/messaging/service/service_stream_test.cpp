// Responses in parts: their end, their window, and what one that nobody reads does to the others.
#include <tenon/messaging/service/service.hpp>

#include <tenon/memory/type_fields.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <gtest/gtest.h>

using namespace tenon;
using namespace std::chrono_literals;

namespace {

struct Range {
  std::uint64_t count;
};
TENON_FIELDS(Range, count);
struct Short {
  std::uint64_t number;
};
TENON_FIELDS(Short, number);
struct Long {
  std::uint64_t number;
  std::array<std::uint64_t, 99> rest;
};
TENON_FIELDS(Long, number, rest);

template <class T>
class ServiceStream : public testing::Test {
 protected:
  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  kit::Watchdog watchdog_{"a stream of responses"};

  static T part(std::uint64_t number) {
    T made{};
    made.number = number;
    return made;
  }
};
using Sizes = testing::Types<Short, Long>;
TYPED_TEST_SUITE(ServiceStream, Sizes);

TYPED_TEST(ServiceStream, has_its_parts_in_order_and_then_its_end) {
  auto server = Server<Range, TypeParam>::create(this->holder_, "s").or_throw();
  auto client = Client<Range, TypeParam>::create(this->holder_, "s", {.window = 4}).or_throw();
  for (const bool with_last : {false, true}) {
    auto pending = client.begin({.count = 3}, after(5s)).or_throw();
    auto call = server.receive(after(5s)).or_throw();
    for (std::uint64_t i = 0; i < call.request()->count; ++i) {
      call.send(this->part(i), after(5s)).or_throw();
    }
    with_last ? std::move(call).respond(this->part(3)).or_throw() : std::move(call).finish().or_throw();
    for (std::uint32_t i = 0; i < (with_last ? 4U : 3U); ++i) {
      const auto got = pending.receive(after(5s)).or_throw();
      ASSERT_TRUE(got.has_value());
      EXPECT_EQ((*got)->number, i);
      EXPECT_EQ(got->number(), i);
      EXPECT_EQ(got->is_last(), i == 3);
    }
    EXPECT_FALSE(pending.receive(after(5s)).or_throw().has_value());
  }
}

TYPED_TEST(ServiceStream, may_end_with_an_error) {
  auto server = Server<Range, TypeParam>::create(this->holder_, "s").or_throw();
  auto client = Client<Range, TypeParam>::create(this->holder_, "s").or_throw();
  auto pending = client.begin({.count = 3}, after(5s)).or_throw();
  auto call = server.receive(after(5s)).or_throw();
  call.send(this->part(0), after(5s)).or_throw();
  std::move(call).refuse(7, "the disk is full").or_throw();
  EXPECT_TRUE(pending.receive(after(5s)).or_throw().has_value());
  EXPECT_TRUE(pending.receive(after(5s)).failed_with(Errc::aborted));
  EXPECT_EQ(pending.refusal()->text, "the disk is full");
}

// F61
TYPED_TEST(ServiceStream, waits_for_its_own_reader_alone) {
  auto server = Server<Range, TypeParam>::create(this->holder_, "s").or_throw();
  auto client = Client<Range, TypeParam>::create(this->holder_, "s", {.max_calls = 3, .window = 2}).or_throw();
  auto unread = client.begin({.count = 100}, never).or_throw();
  auto slow = server.receive(after(5s)).or_throw();
  slow.send(this->part(0), after(5s)).or_throw();
  slow.send(this->part(1), after(5s)).or_throw();
  EXPECT_TRUE(slow.send(this->part(2), immediately).failed_with(Errc::would_block));
  EXPECT_TRUE(slow.send(this->part(2), after(1ms)).failed_with(Errc::timed_out));
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto other = client.begin({.count = 2}, never).or_throw();
    auto call = server.receive(after(5s)).or_throw();
    call.send(this->part(0), after(5s)).or_throw();
    std::move(call).respond(this->part(1)).or_throw();
    EXPECT_EQ((*other.receive(after(5s)).or_throw())->number, 0U);
    EXPECT_EQ((*other.receive(after(5s)).or_throw())->number, 1U);
  }
  // Whose parts are all there, and then it goes on.
  EXPECT_EQ((*unread.receive(after(5s)).or_throw())->number, 0U);
  slow.send(this->part(2), after(5s)).or_throw();
  EXPECT_EQ((*unread.receive(after(5s)).or_throw())->number, 1U);
  EXPECT_EQ((*unread.receive(after(5s)).or_throw())->number, 2U);
  unread.cancel();
  EXPECT_TRUE(slow.send(this->part(3), after(5s)).failed_with(Errc::aborted));
  EXPECT_TRUE(std::move(slow).finish().failed_with(Errc::aborted));
}

using ServiceLongStream = ServiceStream<Long>;
TEST_F(ServiceLongStream, is_refused_what_would_not_fit_beside_what_is_held) {
  auto server = Server<Range, Long>::create(holder_, "s").or_throw();
  auto client = Client<Range, Long>::create(holder_, "s", {.max_calls = 1, .window = 1, .max_held = 1}).or_throw();
  auto pending = client.begin({.count = 100}, never).or_throw();
  auto call = server.receive(after(5s)).or_throw();
  std::vector<Response<Long>> held;
  for (std::uint64_t i = 0; i < 3; ++i) {
    call.send(part(i), after(5s)).or_throw();
    held.push_back(*pending.receive(after(5s)).or_throw());
  }
  call.send(part(3), after(5s)).or_throw();
  EXPECT_TRUE(pending.receive(after(5s)).failed_with(Errc::limit_reached));
  held.erase(held.begin());
  EXPECT_EQ((*pending.receive(after(5s)).or_throw())->number, 3U);
  EXPECT_EQ(held.front()->number, 1U);
}

TYPED_TEST(ServiceStream, comes_whole_from_another_process) {
  constexpr std::uint64_t parts = 20'000;
  const Domain& domain = this->unique_.domain();
  kit::run_sides({{"server",
                   [&](kit::Stage& stage) {
                     const Life life = Life::join(domain).or_throw();
                     const Holder holder = Holder::of(domain, life).or_throw();
                     auto server = Server<Range, TypeParam>::create(holder, "s").or_throw();
                     auto call = server.receive(never).or_throw();
                     for (std::uint64_t i = 0; i < call.request()->count; ++i) {
                       call.send(this->part(i), never).or_throw();
                     }
                     std::move(call).finish().or_throw();
                     stage.await("received");
                   }},
                  {"client",
                   [&](kit::Stage& stage) {
                     const Life life = Life::join(domain).or_throw();
                     const Holder holder = Holder::of(domain, life).or_throw();
                     auto client = Client<Range, TypeParam>::create(holder, "s").or_throw();
                     auto pending = client.begin({.count = parts}, never).or_throw();
                     std::uint64_t received = 0;
                     while (auto got = pending.receive(never).or_throw()) {
                       ASSERT_EQ((*got)->number, received);
                       ++received;
                     }
                     EXPECT_EQ(received, parts);
                     stage.signal("received");
                   }}},
                 std::chrono::seconds(40));
}

}  // namespace
