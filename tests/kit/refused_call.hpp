#pragma once
/// A kernel that lacks a system call, or refuses it. seccomp(2)

namespace kit {

/// From here on the call fails with `os_error` in this thread and in all that it starts: for a child that a test made.
/// Returns false where the kernel has no such filters.
[[nodiscard]] bool refuse_call(long number, int os_error);

}  // namespace kit
