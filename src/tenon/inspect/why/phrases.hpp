#pragma once
/// What processes, objects and their states are called. Any byte may stand in names: whoever prints them escapes them.
#include <tenon/inspect/snapshot.hpp>
#include <tenon/inspect/why/rescue.hpp>

#include <string>
#include <vector>

namespace tenon::inspect {

/// "python (812)", or the number alone of a process that is not in the snapshot.
std::string process_name(const Snapshot& all, pid_t pid);

/// "/jobs", "lock at byte 64 of /pool", "sysv_semaphore 0x000004d2 #7".
std::string object_name(const Object& object);

/// What is wrong with the thing for who waits there, behind "which": "is empty", "has a full backlog".
std::string condition(const Object& object, const Wait& wait);

/// "it can be written by ", "its owner is ", …; `object` is what they have, nullptr: nothing.
std::string lead_in(Role role, const Object* object);

/// "a, b and c"
std::string listed(const std::vector<std::string>& items);

/// Of whichever kind.
bool is_semaphore(const Object& object);

}  // namespace tenon::inspect
