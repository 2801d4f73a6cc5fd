#pragma once
/// Files of this very process, found without opening them.
#include <tenon/os/life_member.hpp>

#include <sys/stat.h>

namespace tenon {

/// Whether the name may be that of this process: the same process id, and no other PID namespace. The start time has
/// no say, since a process id made anew within the same clock tick would have the same.
bool may_be_own(const Member& who) noexcept;

/// The descriptor of this process that leads to the file, -1 if none does. Where /proc is missing, every number up to
/// RLIMIT_NOFILE is tried.
int own_descriptor_of(const struct stat& file) noexcept;

}  // namespace tenon
