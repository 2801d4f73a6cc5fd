#pragma once
/// What the examples over POSIX queues share.
#include "text.hpp"

#include <tenon/ipc/posix_queue/posix_queue.hpp>

#include <string>
#include <vector>

namespace seeds {

/// As the documents' queue: ten messages of 256 bytes.
inline constexpr tenon::PosixQueue::Limits document_limits{.messages = 10, .message_bytes = 256};

struct Text {
  std::string text;
  std::uint32_t priority;
};

/// The next message. The buffer must hold the longest that the queue may have, whatever comes.
inline Text receive_text(tenon::PosixQueue& queue) {
  std::vector<std::byte> message(queue.attributes().or_throw().message_bytes);
  const auto got = queue.receive(message, soon()).or_throw();
  return {.text = std::string(tenon::text_of(tenon::Bytes(message).first(got.bytes))), .priority = got.priority};
}

inline void send_text(tenon::PosixQueue& queue, const std::string& text, std::uint32_t priority = 0) {
  queue.send(tenon::bytes_of(text), priority, soon()).or_throw();
}

/// The name that the caller gives the queue; exits with a usage line if there is none.
inline std::string queue_name_from(int argc, char** argv) {
  if (argc == 2) {
    return argv[1];
  }
  std::fprintf(stderr, "usage: %s /NAME   the same for both programs, one that nothing else uses\n", argv[0]);
  std::exit(2);
}

}  // namespace seeds
