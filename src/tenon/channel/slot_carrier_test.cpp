/// The channels shm: and sysv-shm:, which differ in what they wait with alone.
#include <tenon/channel/slot_carrier.hpp>

#include <tenon/channel/receiver.hpp>
#include <tenon/channel/scheme.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/os/stop.hpp>

#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace tenon {
namespace {

using testing::HasSubstr;

constexpr std::size_t most = 64U << 20;
Deadline soon() { return after(std::chrono::seconds(10)); }

std::vector<std::byte> pattern(std::size_t size, std::size_t seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>((i * 31 + (i >> 8) + seed) & 0xff);
  }
  return bytes;
}

struct Kind {
  const char* scheme;
  /// The memory of that name: made by somebody else, mapped, and removed.
  void (*make)(const std::string& rest);
  Mapping (*map)(const std::string& rest);
  void (*remove)(const std::string& rest);
};

SysvKey key_of(const std::string& text) { return SysvKey::parse(text).or_throw(); }

constexpr Kind posix{
    .scheme = "shm",
    .make = [](const std::string& name) { PosixMemory::create(name, 8192).or_throw(); },
    .map =
        [](const std::string& name) {
          return PosixMemory::open(name, Access::read_write).or_throw().map(Access::read_write).or_throw();
        },
    .remove = [](const std::string& name) { PosixMemory::unlink(name).or_throw(); }};

constexpr Kind system_v{.scheme = "sysv-shm",
                        .make =
                            [](const std::string& key) {
                              SysvMemory::create(key_of(key), 8192).or_throw();
                              SysvSemaphore::create(key_of(key), {0, 0}).or_throw();
                            },
                        .map =
                            [](const std::string& key) {
                              return SysvMemory::open(key_of(key)).or_throw().attach(Access::read_write).or_throw();
                            },
                        .remove =
                            [](const std::string& key) {
                              SysvMemory::unlink(key_of(key)).or_throw();
                              SysvSemaphore::unlink(key_of(key)).or_throw();
                            }};

class SlotChannel : public testing::TestWithParam<Kind> {
 protected:
  std::string uri() const { return std::string(GetParam().scheme) + ":" + rest_; }
  Sender sender() { return open_sender(uri(), soon()).or_throw(); }
  Receiver receiver() { return open_receiver(uri(), soon()).or_throw(); }

  bool there() const {
    const auto found = std::string(GetParam().scheme) == "shm"
                           ? PosixMemory::open(rest_, Access::read).transform([](const PosixMemory&) {})
                           : SysvSemaphore::open(key_of(rest_)).transform([](const SysvSemaphore&) {});
    return found.has_value();
  }

  const kit::Watchdog watchdog_{"a channel in shared memory"};
  kit::UniqueDomain domain_;
  std::string rest_ = std::string(GetParam().scheme) == "shm"
                          ? kit::unique_name()
                          : std::to_string(static_cast<std::uint32_t>(Token::random().value()) | 1U);
};

INSTANTIATE_TEST_SUITE_P(Memory, SlotChannel, testing::Values(posix, system_v),
                         [](const auto& one) { return one.param.scheme == posix.scheme ? "posix" : "system_v"; });

TEST_P(SlotChannel, carries_messages_of_any_size_whole_and_in_order) {
  const std::vector<std::size_t> sizes = {0, 1, 65487, 65488, 65489, 65536, 3000000};
  kit::run_sides({{"sender",
                   [&](kit::Stage&) {
                     Sender out = sender();
                     for (const std::size_t size : sizes) {
                       out.send(pattern(size, 1), soon()).or_throw();
                     }
                     std::move(out).finish(soon()).or_throw();
                   }},
                  {"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     EXPECT_TRUE(in.capabilities().framed);
                     EXPECT_FALSE(in.capabilities().priority || in.capabilities().pollable);
                     EXPECT_EQ(in.capabilities().capacity, 1048576U);
                     for (const std::size_t size : sizes) {
                       EXPECT_EQ(in.receive(most, soon()).or_throw(), pattern(size, 1)) << size;
                     }
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }}});
}

TEST_P(SlotChannel, keeps_the_messages_of_many_senders_apart) {
  constexpr std::size_t senders = 4;
  constexpr std::size_t messages = 20;
  constexpr std::size_t size = 150000;  // three frames
  std::vector<kit::Side> sides;
  for (std::size_t seed = 1; seed <= senders; ++seed) {
    sides.push_back({"sender", [&, seed](kit::Stage& stage) {
                       Sender out = sender();
                       stage.signal("opened");
                       stage.await("opened", senders);
                       for (std::size_t i = 0; i < messages; ++i) {
                         out.send(pattern(size, seed), soon()).or_throw();
                       }
                       std::move(out).finish(soon()).or_throw();
                     }});
  }
  sides.push_back({"receiver", [&](kit::Stage&) {
                     Receiver in = receiver();
                     std::vector<std::size_t> got(senders + 1);
                     for (std::size_t i = 0; i < senders * messages; ++i) {
                       const auto message = in.receive(most, soon()).or_throw();
                       const auto seed = std::to_integer<std::size_t>(message.at(0));
                       ASSERT_TRUE(seed <= senders && message == pattern(size, seed));
                       ++got[seed];
                     }
                     for (std::size_t seed = 1; seed <= senders; ++seed) {
                       EXPECT_EQ(got[seed], messages);
                     }
                     EXPECT_TRUE(in.receive(most, soon()).failed_with(Errc::closed));
                     std::move(in).finish(soon()).or_throw();
                   }});
  kit::run_sides(std::move(sides));
}

// What is left by a sender that is killed between claiming a slot and filling it, sixteen times over.
void claim_all(const Mapping& memory, Token owner) {
  for (std::size_t slot = 0; slot < MappedSlots::slots; ++slot) {
    std::byte* const place = memory.data() + 4096 + slot * (64 + MappedSlots::frame_bytes);
    reinterpret_cast<SlotHeader*>(place)->owner = owner.value();
  }
}

// A sender that dies with every slot claimed would stop the channel for all others.
TEST_P(SlotChannel, goes_on_with_the_others_when_a_sender_dies_with_all_slots_claimed) {
  kit::Sides sides({{"doomed",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       out.send(pattern(10, 7), soon()).or_throw();
                       stage.await("received");
                       stage.await("other is there");
                       stage.signal("ready to die");
                       stage.await("nothing that ever comes");
                     }},
                    {"other",
                     [&](kit::Stage& stage) {
                       Sender out = sender();
                       stage.signal("other is there");
                       stage.await("dead");
                       for (int i = 0; i < 40; ++i) {
                         out.send(pattern(100, 9), soon()).or_throw();
                       }
                       std::move(out).finish(soon()).or_throw();
                     }},
                    {"receiver", [&](kit::Stage& stage) {
                       Receiver in = receiver();
                       auto part = in.receive_part(soon()).or_throw();
                       const Token doomed = part.sender;
                       stage.signal("received");
                       stage.await("ready to die");
                       claim_all(GetParam().map(rest_), doomed);
                       stage.signal("claimed");
                       int others = 0;
                       bool told = false;
                       while (true) {
                         auto message = in.receive(most, soon());
                         if (message.failed_with(Errc::closed)) {
                           break;
                         }
                         told = told || message.failed_with(Errc::peer_died);
                         others += message && *message == pattern(100, 9) ? 1 : 0;
                         ASSERT_TRUE(message || message.failed_with(Errc::peer_died)) << message.error().message();
                       }
                       EXPECT_TRUE(told);
                       EXPECT_EQ(others, 40);
                       std::move(in).finish(soon()).or_throw();
                     }}});
  sides.stage().await("claimed");
  sides.side("doomed").kill();
  sides.stage().signal("dead");
  sides.finish();
}

TEST_P(SlotChannel, refuses_memory_that_is_no_channels) {
  GetParam().make(rest_);
  const auto refused = open_sender(uri(), soon());
  ASSERT_TRUE(refused.failed_with(Errc::wrong_kind)) << refused.error().message();
  EXPECT_THAT(refused.error().message(), HasSubstr("the memory is not a channel's"));
  GetParam().remove(rest_);
}

TEST_P(SlotChannel, refuses_a_channels_memory_at_which_nobody_of_this_domain_is_entered) {
  kit::run_sides({{"elsewhere",
                   [&](kit::Stage& stage) {
                     const kit::UniqueDomain other;
                     Stop stop = Stop::create().or_throw();
                     std::jthread refused([&] {
                       stage.await("refused");
                       stop.request();
                     });
                     EXPECT_TRUE(open_receiver(uri(), soon().or_stop(stop)).failed_with(Errc::stopped));
                   }},
                  {"here", [&](kit::Stage& stage) {
                     while (!there()) {
                       std::this_thread::yield();
                     }
                     const auto refused = open_sender(uri(), soon());
                     EXPECT_TRUE(refused.failed_with(Errc::stale));
                     EXPECT_THAT(refused.error().message(), HasSubstr("a channel of another domain"));
                     stage.signal("refused");
                   }}});
  EXPECT_FALSE(there()) << "whoever waited in vain leaves nothing";
}

}  // namespace
}  // namespace tenon
