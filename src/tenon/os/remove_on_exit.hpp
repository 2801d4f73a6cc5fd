#pragma once
/// Removes an object that the kernel knows by a number when a scope ends: a System V queue, segment or semaphore set.
#include <tenon/os/on_exit.hpp>

namespace tenon {

/// `RemoveOnExit guard(SysvQueue::remove, queue.id());`
using RemoveOnExit = OnExit<int>;

}  // namespace tenon
