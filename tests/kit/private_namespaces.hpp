#pragma once
/// A view of the machine that no other process disturbs. namespaces(7)
#include <kit/patience.hpp>

#include <cstdint>
#include <functional>

namespace kit {

enum class Namespaces : std::uint8_t {
  objects,           ///< own System V objects and POSIX queues, own empty /dev/shm and /dev/mqueue
  objects_and_pids,  ///< also own process ids: `body` runs as process 1
};

/// Runs `body` in a child with namespaces of its own; its failures are those of the running test. Without the right
/// to do so, as root or by a user namespace, the test is skipped with the reason. `limit` is stretched by slowness().
void in_private_namespaces(const std::function<void()>& body, Namespaces which = Namespaces::objects,
                           Duration limit = default_limit);

/// In private namespaces: no POSIX queue can be listed any more. False where a mount of theirs stays, which an ordinary
/// user may not take off when the machine had it before.
[[nodiscard]] bool unmount_queues();

}  // namespace kit
