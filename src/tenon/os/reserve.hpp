#pragma once
/// Memory behind a file on tmpfs, had before anybody touches it. fallocate(2), tmpfs(5)
#include <tenon/os/fd.hpp>

#include <cstddef>

namespace tenon {

/// Makes a file that is `from` bytes long `to` bytes long, with memory behind each byte from `from` on: ftruncate alone
/// promises memory that may not be there, and whoever touches it then is killed by SIGBUS. The length changes last,
/// so others never see bytes without memory. When it fails, the file is as it was.
///
/// Failures: no_space (the file system is full) and no_memory (the machine is), both with what is free; limit_reached
/// (RLIMIT_FSIZE); not_supported (a file system that cannot reserve); permission_denied (sealed, or not open for
/// writing). Memory of a control group is not asked for: past its limit the kernel kills, whatever the call.
Result<void> reserve(FdView file, std::size_t from, std::size_t to);

/// Gives back what a reserve() that was killed half-way has left from byte `from` on, the end of the file or behind it.
/// What cannot be given back stays: the next reserve() uses it.
void give_back(FdView file, std::size_t from, std::size_t to) noexcept;

}  // namespace tenon
