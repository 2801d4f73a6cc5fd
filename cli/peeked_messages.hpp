#pragma once
/// What stands in a queue or a topic, without taking it: by a copy that the kernel makes, or by reading Tenon's own
/// files.
#include <tenon/inspect/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::cli {

struct PeekedMessage {
  std::string about;  ///< "type 3"; "priority 0, waits 2.1 s"; "number 17 of publisher 4711"
  std::uint64_t bytes;
  std::string begins;  ///< the first of them, any byte
};

struct PeekedMessages {
  std::vector<PeekedMessage> messages;  ///< those that will be received first; of a topic the newest, last
  std::string unseen = {};              ///< why there are none to show; "" where the object has none
};

/// Up to `most`, of System V queues and Tenon's, and of each publisher of a topic. msgop(2), MSG_COPY
PeekedMessages peek_messages(const inspect::Object& object, std::size_t most);

}  // namespace tenon::cli
