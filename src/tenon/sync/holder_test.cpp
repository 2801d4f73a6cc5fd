#include <tenon/sync/holder.hpp>

#include <kit/descriptor_limit.hpp>
#include <kit/shared.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <array>
#include <atomic>
#include <gtest/gtest.h>

namespace {

using namespace tenon;

/// A member in a process of its own, and one who looks whether it is dead.
class Scene {
 public:
  ~Scene() {
    sides_.stage().signal("done");
    sides_.finish();
  }
  Scene() { sides_.stage().await("joined"); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Token other() const { return Token::from(*token_); }
  Deaths deaths() const { return Deaths(Holder::of(domain_.domain(), own_).or_throw()); }

 private:
  void be_a_member(kit::Stage& stage) {
    const Life life = Life::join(domain_.domain()).or_throw();
    *token_ = life.token().value();
    stage.signal("joined");
    stage.await("done");
  }

  kit::UniqueDomain domain_;
  Life own_ = Life::join(domain_.domain()).or_throw();
  kit::Shared<std::atomic<std::uint64_t>> token_;
  kit::Sides sides_ = kit::Sides({{"other", [this](kit::Stage& stage) { be_a_member(stage); }}});
};

std::size_t open_descriptors() { return kit::names_in("/proc/self/fd").size(); }

TEST(Deaths, keeps_no_file_open_of_one_that_holds_nothing_any_more) {
  const kit::Watchdog watchdog("a member that is asked about");
  const Scene scene;
  Deaths deaths = scene.deaths();
  const std::size_t before = open_descriptors();
  EXPECT_FALSE(deaths.took(scene.other()).or_throw());
  EXPECT_EQ(open_descriptors(), before + 1);
  std::array<std::atomic<std::uint64_t>, 2> slots{0, scene.other().value()};
  deaths.forget_all_but(slots);
  EXPECT_EQ(open_descriptors(), before + 1) << "it still holds something";
  slots[1] = 0;
  deaths.forget_all_but(slots);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Deaths, tells_who_is_alive_only_where_it_can_ask) {
  const kit::Watchdog watchdog("a member that cannot be asked about");
  const Scene scene;
  Deaths deaths = scene.deaths();
  {
    const kit::DescriptorLimit none(0);
    EXPECT_TRUE(deaths.took(scene.other()).failed_with(Errc::limit_reached));
  }
  EXPECT_FALSE(deaths.took(scene.other()).or_throw());
}

}  // namespace
