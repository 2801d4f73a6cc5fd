#include <tenon/inspect/patterns/domain_scene.hpp>

#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/os/domain.hpp>
#include <tenon/os/procfs.hpp>
#include <tenon/os/token.hpp>

#include <algorithm>
#include <charconv>
#include <fcntl.h>

namespace tenon::inspect {

Object DomainScene::object(Kind kind, const std::string& name, const std::string& file_name) const {
  const auto status = status_of(directory_.raw(), file_name.c_str());
  Object object = status ? file_object(kind, name, *status) : Object{.kind = kind, .name = name};
  object.domain = path_;
  return object;
}

// A process id means something in its own PID namespace alone.
std::optional<pid_t> DomainScene::pid_here(std::uint64_t life) {
  static const std::uint64_t own = procfs::own_pid_namespace();
  const auto member = lives_.member_of(Token::from(life));
  const bool here = member && (member->pid_namespace == own || member->pid_namespace == 0);
  return here ? std::optional(member->pid) : std::nullopt;
}

void DomainScene::add_edge(Snapshot& into, std::size_t object, const Participant& who) {
  const auto pid = pid_here(who.life);
  if (!pid) {
    return;
  }
  const auto known = std::find_if(into.edges.rbegin(), into.edges.rend(), [&](const Edge& one) {
    return one.object != object || (one.pid == *pid && one.relation == who.relation && one.ended != who.alive);
  });
  if (known == into.edges.rend() || known->object != object) {
    into.edges.push_back(
        {.object = object, .pid = *pid, .relation = who.relation, .ended = !who.alive, .messages = who.messages});
  } else if (who.messages) {
    known->messages = known->messages.value_or(0) + *who.messages;
  }
}

void DomainScene::add_wait(Snapshot& into, std::size_t object, std::uint64_t life, std::string_view call, Need need,
                           std::optional<std::int64_t> since) {
  if (const auto pid = pid_here(life)) {
    into.waits.push_back({.pid = *pid,
                          .thread = 0,
                          .call = std::string(call),
                          .need = need,
                          .objects = {object},
                          .since = since,
                          .unseen = {}});
  }
}

void DomainScene::add_unseen(Snapshot& into, const std::vector<std::string>& sentences) const {
  for (const std::string& sentence : sentences) {
    into.unseen.push_back("domain " + path_ + ": " + sentence);
  }
}

void DomainScene::add_failure(Snapshot& into, const Error& error) const { add_unseen(into, {error.message()}); }

// A directory of that name that is not that user's is nobody's domain.
std::vector<std::string> known_domains() {
  constexpr std::string_view prefix = "tenon-";
  std::vector<std::string> domains = {Domain::path_of_environment()};
  for (const std::string& name : names_in("/dev/shm").value_or(std::vector<std::string>{})) {
    uid_t user = 0;
    const char* const end = name.data() + name.size();
    const bool fits = name.starts_with(prefix) && std::from_chars(name.data() + prefix.size(), end, user).ptr == end &&
                      name.size() > prefix.size();
    const std::string path = "/dev/shm/" + name;
    const auto status = fits ? status_of(AT_FDCWD, path.c_str()) : std::nullopt;
    const bool known = std::ranges::find(domains, path) != domains.end();
    if (status && S_ISDIR(status->stx_mode) && status->stx_uid == user && !known) {
      domains.push_back(path);
    }
  }
  return domains;
}

}  // namespace tenon::inspect
