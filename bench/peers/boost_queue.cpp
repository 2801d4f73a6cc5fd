// Boost.Interprocess: message_queue, whose send and receive copy. Polling is try_send and try_receive.
#include <harness/payload.hpp>
#include <harness/spin.hpp>
#include <peers/peer.hpp>

#include <algorithm>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <filesystem>

namespace peers {

namespace {

namespace bip = boost::interprocess;
using tenon::MutableBytes;

// Of the start: "tenon-topic-bench-1234-5".
std::string name_of(MutableBytes shared) {
  const std::filesystem::path path = topics::path_of_start(shared);
  return path.parent_path().filename().string() + "-" + path.filename().string();
}

struct End {
  std::shared_ptr<bip::message_queue> queue;
  Cell cell;
  std::vector<std::uint64_t> message;
  std::uint64_t at = 0;

  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(message)); }
};

struct Sender : End {
  void step() {
    harness::write_payload(bytes(), at++);
    if (cell.wait == Wait::blocking) {
      queue->send(message.data(), cell.bytes, 0);
    } else {
      harness::spin_until([&] { return queue->try_send(message.data(), cell.bytes, 0); });
    }
  }
};

struct Receiver : End {
  void step() {
    bip::message_queue::size_type received = 0;
    unsigned int priority = 0;
    if (cell.wait == Wait::blocking) {
      queue->receive(message.data(), cell.bytes, received, priority);
    } else {
      harness::spin_until([&] { return queue->try_receive(message.data(), cell.bytes, received, priority); });
    }
    harness::check_payload(bytes().first(received), at++);
  }
};

std::shared_ptr<bip::message_queue> opened(const std::string& name) {
  std::shared_ptr<bip::message_queue> queue;
  harness::spin_until([&] {
    try {
      queue = std::make_shared<bip::message_queue>(bip::open_only, name.c_str());
    } catch (const bip::interprocess_exception&) {  // not there yet
      return false;
    }
    return true;
  });
  bip::message_queue::remove(name.c_str());  // both have it open: nothing stays behind when they are killed
  return queue;
}

}  // namespace

Peer boost_queue() {
  return {.name = "Boost queue", .subject = [](const Cell& cell) {
            const std::size_t length = queue_length(cell.bytes);
            return subject_of(
                "Boost.Interprocess message_queue", cell, length,
                [=](MutableBytes shared) {
                  return Sender{{std::make_shared<bip::message_queue>(bip::create_only, name_of(shared).c_str(), length,
                                                                      cell.bytes),
                                 cell, std::vector<std::uint64_t>(cell.bytes / 8)}};
                },
                [=](MutableBytes shared) {
                  return Receiver{{opened(name_of(shared)), cell, std::vector<std::uint64_t>(cell.bytes / 8)}};
                });
          }};
}

}  // namespace peers
