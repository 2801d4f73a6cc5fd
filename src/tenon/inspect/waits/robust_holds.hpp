#pragma once
/// Which robust locks a thread holds, as it has told the kernel. get_robust_list(2)
#include <tenon/inspect/waits/address_space.hpp>

#include <optional>
#include <sys/types.h>

namespace tenon::inspect {

/// Whether the thread, of the process with that memory, has a lock at that place in its list. Nothing if the list may
/// not be read, has no end, or changes while it is read.
std::optional<bool> holds_robust_lock(const AddressSpace& memory, pid_t thread, const AddressSpace::Place& place);

}  // namespace tenon::inspect
