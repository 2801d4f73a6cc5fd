#pragma once
/// What the tests of channels share: a FIFO channel in a domain of its own, and ends that are played frame by frame.
#include <tenon/channel/fifo_channel.hpp>
#include <tenon/channel/receiver.hpp>
#include <tenon/channel/rendezvous_file.hpp>
#include <tenon/channel/sender.hpp>
#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/poll.hpp>

#include <kit/patience.hpp>
#include <kit/two_processes.hpp>
#include <kit/unique.hpp>
#include <kit/watchdog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace transfer {

inline constexpr std::size_t most = 64U << 20;
inline tenon::Deadline soon() { return tenon::after(kit::patient(std::chrono::seconds(10))); }

inline std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>((i * 31 + (i >> 8) + seed) & 0xff);
  }
  return bytes;
}

inline void write_frame(tenon::WriteEnd& end, const tenon::Frame& frame) {
  std::vector<std::byte> bytes(tenon::Frame::header_size + frame.payload.size());
  frame.encode(bytes);
  end.write(bytes, soon()).or_throw();
}

/// A sender that does what the test says, frame by frame, and no more.
struct PlayedSender {
  tenon::Rendezvous rendezvous;
  tenon::WriteEnd end;

  void part(tenon::Bytes payload, std::uint64_t message, std::uint64_t offset, tenon::FrameKind kind) {
    write_frame(end, {.sender = rendezvous.token(),
                      .message = message,
                      .offset = offset,
                      .kind = kind,
                      .priority = 0,
                      .payload = payload});
  }
};

struct PlayedReceiver {
  tenon::Rendezvous rendezvous;
  tenon::ReadEnd end;

  /// The next so many bytes, in however many pieces they come.
  std::vector<std::byte> take(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t got = 0; got < size;) {
      const std::size_t more = end.read(tenon::MutableBytes(bytes).subspan(got), soon()).or_throw();
      if (more == 0) {
        throw tenon::Failure(tenon::Error(tenon::Errc::closed, "read").because("no sender is left"));
      }
      got += more;
    }
    return bytes;
  }
};

class ChannelTest : public testing::Test {
 protected:
  std::string path() { return directory_ / "channel"; }
  std::string uri() { return "fifo:" + path(); }
  tenon::Sender sender() { return tenon::open_sender(uri(), soon()).or_throw(); }
  tenon::Receiver receiver() { return tenon::open_receiver(uri(), soon()).or_throw(); }
  std::string rendezvous_path() { return domain_.path() + "/" + tenon::RendezvousFile::name_for(uri()); }

  tenon::Rendezvous enter(tenon::Role role) {
    auto domain = std::make_shared<const tenon::Domain>(tenon::Domain::open(domain_.path()).or_throw());
    return tenon::Rendezvous::join(std::move(domain), uri(), role, tenon::fifo_keeper(path()), soon()).or_throw();
  }
  PlayedSender played_sender() {
    auto rendezvous = enter(tenon::Role::sender);
    return {.rendezvous = std::move(rendezvous),
            .end = tenon::Fifo::open(path()).or_throw().open_for_writing(soon()).or_throw()};
  }
  PlayedReceiver played_receiver() {
    auto rendezvous = enter(tenon::Role::receiver);
    return {.rendezvous = std::move(rendezvous),
            .end = tenon::Fifo::open(path()).or_throw().open_for_reading(soon()).or_throw()};
  }

  // Stands still until the test kills it, so that it dies at a known point.
  static void wait_for_death(kit::Stage& stage, const char* event = "ready to die") {
    stage.signal(event);
    stage.await("nothing that ever comes");
  }
  static void kill_when_ready(kit::Sides& sides, const char* victim, const char* event = "ready to die") {
    sides.stage().await(event);
    sides.side(victim).kill();
    wait_ready(sides.side(victim).process().fd(), tenon::Ready::reading, soon()).or_throw();  // it is gone
    sides.stage().signal("killed");
  }

  const kit::Watchdog watchdog_{"a channel", std::chrono::seconds(60)};
  kit::UniqueDomain domain_;
  kit::UniqueDirectory directory_;
};

}  // namespace transfer
