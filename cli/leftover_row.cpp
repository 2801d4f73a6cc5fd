#include <cli/leftover_row.hpp>

#include <tenon/os/socket_name.hpp>

#include <cli/domain_removal.hpp>
#include <cli/object_text.hpp>
#include <cli/removal.hpp>
#include <cli/unchanged.hpp>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::DomainPart;
using inspect::Kind;
using inspect::LeftoverVerdict;
using inspect::Object;

constexpr std::array parts = {DomainPart::life,   DomainPart::channel, DomainPart::topic, DomainPart::service,
                              DomainPart::stream, DomainPart::queue,   DomainPart::board};

bool is_part(std::string_view name) {
  return std::ranges::any_of(parts, [&](DomainPart part) { return inspect::name_of(part) == name; });
}

bool is_wanted(const LeftoverChoice& choice, std::string_view kind) {
  return choice.kinds.empty() || std::ranges::find(choice.kinds, kind) != choice.kinds.end();
}

// The kernel lets root take away anybody's System V objects. A file in a directory that others may write stays its
// owner's to remove, since only for that user nobody else can have put it there.
std::string foreign(const Object& object) {
  const uid_t own = ::geteuid();
  const bool mine = !object.owner || *object.owner == own || object.creator.value_or(*object.owner) == own;
  const bool may = mine || (own == 0 && is_system_v(object.kind));
  return may ? "" : "it is " + user_text(object.owner) + "'s, who may take it away: ";
}

void add_objects(LeftoverList& list) {
  inspect::QueueSleepers sleepers;
  for (std::size_t at = 0; at < list.all.objects.size(); ++at) {
    const Object& object = list.all.objects[at];
    inspect::Judgement judgement = inspect::judge(list.all, at, sleepers);
    if (judgement.verdict == LeftoverVerdict::in_use) {
      continue;
    }
    if (const std::string whose = foreign(object); !whose.empty()) {
      judgement = {.verdict = LeftoverVerdict::unjudged, .proof = whose + judgement.proof};
    }
    const std::string name = object.id ? "#" + std::to_string(*object.id) : object.name;
    list.rows.push_back({.kind = std::string(inspect::name_of(object.kind)),
                         .name = name,
                         .judgement = std::move(judgement),
                         .object = at});
  }
}

Result<void> add_parts(LeftoverList& list, const LeftoverChoice& choice) {
  auto found = inspect::domain_leftovers(choice.domain);
  if (!found) {
    return found.failed_with(Errc::not_found) ? Result<void>() : fail(std::move(found.error()));
  }
  list.unseen.insert(list.unseen.end(), found->unseen.begin(), found->unseen.end());
  for (inspect::DomainLeftover& part : found->all) {
    const std::string kind(inspect::name_of(part.part));
    if (is_wanted(choice, kind)) {
      list.rows.push_back({.kind = kind, .name = part.name, .judgement = part.judgement, .part = std::move(part)});
    }
  }
  return {};
}

// A kind that a snapshot has and a domain too is looked for in both.
Result<std::vector<Kind>> object_kinds(const LeftoverChoice& choice) {
  std::vector<Kind> kinds;
  for (const std::string& name : choice.kinds) {
    if (const auto kind = inspect::kind_of(name)) {
      kinds.push_back(*kind);
    } else if (!is_part(name)) {
      return fail(
          Error(Errc::invalid_argument).on(name).because("what can be left over is one of " + known_leftovers()));
    }
  }
  return kinds;
}

}  // namespace

std::string known_leftovers() {
  std::string text;
  for (const Kind kind : inspect::all_kinds()) {
    text += (text.empty() ? "" : ", ") + std::string(inspect::name_of(kind));
  }
  for (const DomainPart part : parts) {
    const std::string name(inspect::name_of(part));
    text += inspect::kind_of(name) ? "" : ", " + name;
  }
  return text;
}

Result<LeftoverList> find_leftovers(const LeftoverChoice& choice) {
  auto kinds = object_kinds(choice);
  if (!kinds) {
    return fail(std::move(kinds.error()));
  }
  LeftoverList list{.domain = choice.domain, .all = {}, .rows = {}, .unseen = {}};
  if (choice.kinds.empty() || !kinds->empty()) {
    inspect::SnapshotOptions options{.kinds = std::move(*kinds)};
    options.directories.insert(options.directories.end(), choice.directories.begin(), choice.directories.end());
    options.directories.push_back(choice.domain);  // sockets that its members are woken by
    list.all = inspect::snapshot(options);
    list.unseen = list.all.unseen;
    add_objects(list);
  }
  return add_parts(list, choice).transform([&] { return std::move(list); });
}

Result<void> remove_leftover(const LeftoverList& list, const LeftoverRow& row) {
  if (row.part) {
    return remove_left_over(list.domain, *row.part);
  }
  const Object& object = list.all.objects[*row.object];
  // A socket's name may be taken over by a new server at any moment, which holds the lock that this takes.
  if (object.kind == Kind::unix_socket) {
    return unlink_dead_socket(object.name);
  }
  return check_unchanged(list.all, *row.object).and_then([&] { return remove(object); });
}

}  // namespace tenon::cli
