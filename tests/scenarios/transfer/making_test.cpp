// Whose a FIFO is that stands where a channel's maker stopped: the channel's as long as it is half-made, somebody
// else's otherwise.
#include "channel_fixture.hpp"

#include <kit/shared.hpp>
#include <kit/traced_process.hpp>

#include <cstring>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace transfer {
namespace {

using namespace tenon;
using kit::TracedProcess;

class ChannelMaking : public ChannelTest {
 protected:
  // What the rendezvous file says of the object; nothing before there is one.
  std::optional<RendezvousHeader> header() {
    std::ifstream file(rendezvous_path(), std::ios::binary);
    std::array<char, sizeof(RendezvousHeader)> bytes{};
    if (!file.read(bytes.data(), bytes.size())) {
      return std::nullopt;
    }
    RendezvousHeader read{};
    std::memcpy(&read, bytes.data(), sizeof read);
    return read;
  }
  std::optional<unsigned> mode() {
    struct stat status{};
    return ::lstat(path().c_str(), &status) == 0 ? std::optional(status.st_mode & 0777U) : std::nullopt;
  }
  // The file says that a channel made an object, and not yet which.
  bool unnumbered() {
    const auto read = header();
    return read && read->made != 0 && read->object == 0;
  }
  void run_until(TracedProcess& maker, const std::function<bool()>& there) {
    while (!there()) {
      ASSERT_EQ(maker.run_past_system_call(), TracedProcess::State::stopped);
    }
  }
  void enter_and_leave() { enter(Role::receiver).leave(soon()).or_throw(); }
};

// F6
TEST_F(ChannelMaking, a_fifo_made_after_the_channels_maker_was_killed_is_left_alone) {
  TracedProcess maker([] {}, [&] { enter_and_leave(); });
  run_until(maker, [&] { return unnumbered(); });
  ASSERT_EQ(mode(), std::nullopt);
  ASSERT_TRUE(maker.kill());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  enter_and_leave();
  EXPECT_EQ(mode(), 0600U) << "the channel removed what was not its own";
  EXPECT_EQ(::unlink(path().c_str()), 0);
}

// F6
TEST_F(ChannelMaking, what_the_channels_maker_left_half_made_goes_with_the_channel) {
  for (const bool numbered : {false, true}) {
    TracedProcess maker([] {}, [&] { enter_and_leave(); });
    run_until(maker, [&] { return mode() == 0U && unnumbered() != numbered; });
    ASSERT_TRUE(maker.kill());
    enter_and_leave();
    EXPECT_EQ(mode(), std::nullopt);
  }
}

// F4
TEST_F(ChannelMaking, a_fifo_made_while_the_channels_maker_stands_still_is_left_alone) {
  TracedProcess maker([] {}, [&] { enter_and_leave(); });
  run_until(maker, [&] { return unnumbered(); });
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(maker.run_to_end(kit::default_limit), TracedProcess::State::finished);
  EXPECT_EQ(mode(), 0600U) << "the channel removed what was not its own";
  EXPECT_EQ(::unlink(path().c_str()), 0);
}

// F5: a creator's that died, which no channel knows of.
TEST_F(ChannelMaking, a_fifo_that_was_half_made_before_is_made_anew_as_the_channels_own) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0), 0);
  Rendezvous entered = enter(Role::receiver);
  EXPECT_EQ(mode(), 0600U);
  std::move(entered).leave(soon()).or_throw();
  EXPECT_EQ(mode(), std::nullopt);
}

}  // namespace
}  // namespace transfer
