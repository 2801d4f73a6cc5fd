#pragma once
/// Which of the kernel's limits on semaphore sets stood in the way, with its figures. proc(5), /proc/sys/kernel/sem
#include <tenon/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace tenon::semaphore_limits {

/// Of a semget() for so many semaphores that failed so: names SEMMNI, SEMMNS or SEMMSL where one of them was reached.
Error creation_refused(std::size_t semaphores, int os_error);
/// A count beyond SEMVMX, which is no setting but the kernel's own.
Error value_refused(const char* call, std::uint64_t wanted);
/// More steps than SEMOPM.
Error steps_refused(std::size_t steps);

/// The user whose set it is, also if this process may not look at the set itself.
std::optional<uid_t> owner_of(int id);

}  // namespace tenon::semaphore_limits
