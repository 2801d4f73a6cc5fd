#include <cli/ls_filter.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fnmatch.h>
#include <pwd.h>

namespace tenon::cli {

namespace {

using inspect::Edge;
using inspect::Kind;
using inspect::Object;
using inspect::Snapshot;

Result<uid_t> user_of(const std::string& text) {
  uid_t number = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr == end && !text.empty()) {
    return number;
  }
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(text.c_str(), &entry, room.data(), room.size(), &found);
  return found != nullptr ? Result<uid_t>(found->pw_uid)
                          : fail(Error(Errc::invalid_argument, "--user").on(text).because("there is no such user"));
}

Result<std::vector<uid_t>> users_of(const std::vector<std::string>& texts) {
  std::vector<uid_t> users;
  for (const std::string& text : texts) {
    auto user = user_of(text);
    if (!user) {
      return fail(std::move(user.error()));
    }
    users.push_back(*user);
  }
  return users;
}

// The kernel keeps no holders of these, only who used them last; one that lives may well go on.
bool keeps_no_holders(Kind kind) { return kind == Kind::sysv_queue || kind == Kind::sysv_semaphore; }

bool is_orphan(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  const bool held = std::ranges::any_of(all.edges_of(at), [&](const Edge& edge) {
    return !edge.ended && (inspect::is_hold(edge.relation) || keeps_no_holders(object.kind));
  });
  // A socket that the kernel tells of is somebody's, be it on its way to another process; and so is a lock, which goes
  // with its last holder, whom it may have changed while he was looked for.
  return !held && !object.socket && object.kind != inspect::Kind::file_lock &&
         object.figure("attached").value_or(0) == 0;
}

// By place: whether one of these has to do with it.
std::vector<bool> touched_by(const Snapshot& all, const std::vector<pid_t>& pids) {
  const auto is_asked = [&](pid_t pid) { return std::ranges::find(pids, pid) != pids.end(); };
  std::vector<bool> touched(all.objects.size());
  for (const Edge& edge : all.edges) {
    if (!edge.ended && is_asked(edge.pid)) {
      touched[edge.object] = true;
    }
  }
  for (const inspect::Wait& wait : all.waits) {
    if (is_asked(wait.pid)) {
      std::ranges::for_each(wait.objects, [&](std::size_t object) { touched[object] = true; });
    }
  }
  return touched;
}

bool has_name(const Object& object, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return ::fnmatch(pattern.c_str(), object.name.c_str(), 0) == 0; });
}

}  // namespace

Result<std::vector<std::size_t>> listed(const Snapshot& all, const LsFilter& filter) {
  const auto users = users_of(filter.users);
  if (!users) {
    return fail(Error(users.error()));
  }
  const std::vector<bool> touched = touched_by(all, filter.pids);
  const auto is_owned = [&](const Object& object) {
    return object.owner && std::ranges::find(*users, *object.owner) != users->end();
  };
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < all.objects.size(); ++at) {
    const Object& object = all.objects[at];
    const bool asked = (filter.pids.empty() || touched[at]) && (users->empty() || is_owned(object)) &&
                       (filter.names.empty() || has_name(object, filter.names)) &&
                       (!filter.orphans || is_orphan(all, at)) && (!filter.waiting || all.is_awaited(at));
    if (asked) {
      places.push_back(at);
    }
  }
  return places;
}

}  // namespace tenon::cli
