// What a reliable subscriber that lies about where it stands can do to a publisher: hold it back as far as one that
// tells the truth could, and no further; and not at all from outside that range. `./dev soak --hostile` does the same
// at speed.
#include <tenon/messaging/topic/topic.hpp>

#include <kit/numbers.hpp>
#include <kit/unique.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon;

namespace {

using kit::numbered;
using Short = kit::Numbers<2>;

constexpr std::uint32_t depth = 8;
constexpr std::uint64_t published_before = 100;

class HostileSubscriber : public testing::Test {
 protected:
  HostileSubscriber() {
    for (std::uint64_t i = 0; i < published_before; ++i) {
      publisher_.publish(numbered<Short>(i), immediately).or_throw();
      receive_all();
    }
  }
  Publisher<Short> make_publisher(WhenFull when_full) {
    return Publisher<Short>::create(
               holder_, "t", {.depth = depth, .when_full = when_full, .evict_after = std::chrono::milliseconds(10)})
        .or_throw();
  }
  void receive_all() {
    while (hostile_.try_receive()) {
    }
  }

  // The row that is the publisher's, in the subscriber's own file.
  SubscriberRow& own_row() {
    for (const std::string& name : kit::names_in(unique_.path() + "/topic.t")) {
      if (!name.starts_with("sub.")) {
        continue;
      }
      const Fd file = Fd::adopt(::open((unique_.path() + "/topic.t/" + name).c_str(), O_RDWR | O_CLOEXEC));
      struct stat status{};
      EXPECT_EQ(::fstat(file.raw(), &status), 0);
      own_file_.push_back(
          Mapping::of_file(file.view(), static_cast<std::size_t>(status.st_size), Access::read_write).or_throw());
    }
    std::byte* const begin = own_file_.at(0).data();
    return *reinterpret_cast<SubscriberRow*>(begin + reinterpret_cast<const SubscriberHeader*>(begin)->rows_at);
  }
  // How many more the publisher sends without waiting, of 100.
  int sent_at_once(Publisher<Short>& publisher) {
    int sent = 0;
    while (sent < 100 && publisher.try_publish(numbered<Short>(0))) {
      ++sent;
    }
    return sent;
  }

  kit::UniqueDomain unique_;
  Life life_ = Life::join(unique_.domain()).or_throw();
  Holder holder_ = Holder::of(unique_.domain(), life_).or_throw();
  Publisher<Short> publisher_ = make_publisher(WhenFull::wait);
  Subscriber<Short> hostile_ = Subscriber<Short>::create(holder_, "t").or_throw();
  std::vector<Mapping> own_file_;
};

// F21
TEST_F(HostileSubscriber, whose_gate_is_ahead_of_all_messages_or_too_far_behind_is_passed_over) {
  SubscriberRow& row = own_row();
  for (const std::uint64_t ahead : {std::uint64_t{1000}, -std::uint64_t{depth + 1}, -std::uint64_t{90},
                                    std::uint64_t{1} << 63, std::uint64_t{1} << 62}) {
    row.gate = publisher_.published() + ahead;
    EXPECT_EQ(sent_at_once(publisher_), 100) << ahead;
  }
}

// F21, F61
TEST_F(HostileSubscriber, whose_gate_is_less_than_the_depth_behind_is_waited_for_as_anybody) {
  SubscriberRow& row = own_row();
  sent_at_once(publisher_);
  for (const std::uint64_t behind : {0U, 1U, depth - 1, depth}) {
    row.gate = publisher_.published() - behind;
    const auto refused_at = static_cast<int>(depth - behind);
    EXPECT_EQ(sent_at_once(publisher_), refused_at) << behind;
    const auto refused = publisher_.try_publish(numbered<Short>(0));
    EXPECT_TRUE(refused.failed_with(Errc::would_block));
    EXPECT_THAT(refused.error().message(), testing::HasSubstr(std::to_string(::getpid())));
  }
}

// F22, F61
TEST_F(HostileSubscriber, that_wipes_its_row_is_waited_for_until_it_is_gone) {
  own_row().publisher = 0;
  EXPECT_LE(sent_at_once(publisher_), static_cast<int>(2 * depth));
  EXPECT_TRUE(publisher_.try_publish(numbered<Short>(0)).failed_with(Errc::would_block));
  std::move(hostile_).close().or_throw();
  EXPECT_EQ(sent_at_once(publisher_), 100);
}

// F22, F61
TEST_F(HostileSubscriber, that_never_makes_a_row_does_not_stop_a_publisher_that_evicts) {
  auto evicting = make_publisher(WhenFull::evict);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(evicting.publish(numbered<Short>(0), never));
  }
}

}  // namespace
