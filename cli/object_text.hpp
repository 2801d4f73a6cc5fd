#pragma once
/// How the commands show an object and those who hold it.
#include <tenon/inspect/snapshot.hpp>

#include <string>

namespace tenon::cli {

/// "sysv_queue:#5", "fifo:/tmp/jobs": as `tenon rm` takes it, escaped.
std::string target_text(const inspect::Object& object);
/// "3 messages, 120 bytes, value 2", with the limits only if wanted.
std::string figures_text(const inspect::Object& object, bool with_limits);
/// The user's name, or the number of one that has none; "?" if it could not be seen.
std::string user_text(std::optional<uid_t> user);
/// "0600", "?"
std::string mode_text(std::optional<mode_t> mode);
/// "1234 (command line)", escaped and cut to 40 columns.
std::string process_text(const inspect::Snapshot& all, pid_t pid);
/// Who has it open or mapped: "1234 (…), 5678 (…)"; "" if nobody is seen to.
std::string holders_text(const inspect::Snapshot& all, std::size_t object);
/// "5m", "3d"; ">5m" where the kernel keeps the last change alone and it may be older; "?" where it keeps nothing.
std::string age_text(const inspect::Object& object, std::int64_t now);

}  // namespace tenon::cli
