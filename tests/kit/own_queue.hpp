#pragma once
/// A System V queue of one test, and what comes out of it.
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/os/remove_on_exit.hpp>

#include <array>
#include <string>

namespace kit {

/// A queue that is removed with it.
struct OwnQueue {
  explicit OwnQueue(tenon::SysvKey with = tenon::SysvKey::unshared(),
                    tenon::Permissions permissions = tenon::owner_only)
      : key(with), queue(tenon::SysvQueue::create(key, permissions).or_throw()) {}
  tenon::SysvKey key;
  tenon::SysvQueue queue;
  tenon::RemoveOnExit guard{tenon::SysvQueue::remove, queue.id()};
};

/// The next message, as "text/type". Throws if there is none by then.
inline std::string received(tenon::SysvQueue& queue, tenon::SysvQueue::Types which,
                            tenon::Deadline deadline = tenon::immediately) {
  std::array<std::byte, 8192> into;
  const auto got = queue.receive(into, which, deadline).or_throw();
  return std::string(tenon::text_of(tenon::Bytes(into).first(got.bytes))) + "/" + std::to_string(got.type);
}

}  // namespace kit
