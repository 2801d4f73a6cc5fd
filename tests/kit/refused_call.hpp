#pragma once
/// A kernel that lacks a system call, or refuses it. seccomp(2)
#include <cstdint>

namespace kit {

/// From here on the call fails with `os_error` in this thread and in all that it starts: for a child that a test made.
/// Returns false where the kernel has no such filters.
[[nodiscard]] bool refuse_call(long number, int os_error);

/// Likewise of a call whose argument number `argument`, from 0, is more than `most`, by its lower 32 bits.
[[nodiscard]] bool refuse_call_above(long number, unsigned argument, std::uint32_t most, int os_error);

}  // namespace kit
