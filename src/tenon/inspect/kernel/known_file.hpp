#pragma once
/// What the kernel itself knows of another process's files. No file system is asked: one whose server does not answer
/// holds up whoever looks, and one that puts several devices together gives its files others than the kernel does.
/// proc_pid_fdinfo(5), proc_pid_mountinfo(5), openat2(2)
#include <tenon/inspect/snapshot.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace tenon::inspect {

/// The file behind a descriptor as /proc/locks and maps files call it: by the device of its mount. Nothing before
/// Linux 5.14, and where the mount is not one of the process's own.
std::optional<FileId> known_file(pid_t pid, int descriptor);

/// statx(2) of the file behind a descriptor, as far as the kernel has it in memory.
std::optional<struct statx> known_status_of(pid_t pid, int descriptor);

/// The device of the mount with that number. Nothing if the text, of a mountinfo file, has none.
std::optional<dev_t> device_of_mount(std::string_view mountinfo, std::uint64_t mount);

/// statx(2) of what a path leads to for that process: from its root, or from a directory that it has open, or else from
/// its current one. Nothing if it is not there, or would have to be asked for: who sleeps in a call on a path has had
/// the kernel look it up, so it knows. A link in a path that is relative leads where it leads for us.
std::optional<struct statx> known_status(pid_t pid, const std::string& path, std::optional<int> directory);

}  // namespace tenon::inspect
