/// tenon rm KIND:NAME|KIND:#ID… [--force]
#include <tenon/base/name.hpp>
#include <tenon/inspect/leftovers/domain_leftovers.hpp>
#include <tenon/inspect/snapshot.hpp>
#include <tenon/os/domain.hpp>

#include <cli/command.hpp>
#include <cli/domain_removal.hpp>
#include <cli/object_target.hpp>
#include <cli/object_text.hpp>
#include <cli/removal.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::Kind;
using inspect::Object;
using inspect::Snapshot;

struct RmOptions {
  std::vector<std::string> targets;
  std::string domain = Domain::path_of_environment();
  bool force = false;
};

// Why there is none: something of another kind may be there.
Error missing(const ObjectTarget& target, const std::string& text) {
  struct stat status{};
  const bool path = target.kind == Kind::fifo || (target.kind == Kind::unix_socket && !target.name.starts_with('@'));
  if (path && ::lstat(target.name.c_str(), &status) == 0) {
    const mode_t wanted = target.kind == Kind::fifo ? S_IFIFO : S_IFSOCK;
    if ((status.st_mode & S_IFMT) != wanted) {
      return Error(Errc::wrong_kind).on(text).because("what is there is no " + std::string(name_of(target.kind)));
    }
  }
  return Error(Errc::not_found).on(text);
}

// The kernel keeps no holders of these, only who used them last; one that lives may well go on.
std::string living_users(const Snapshot& all, std::size_t at) {
  std::string text;
  for (const inspect::Edge& edge : all.edges_of(at)) {
    if (!inspect::is_hold(edge.relation) && !edge.ended) {
      text = process_text(all, edge.pid);
    }
  }
  return text;
}

// Who or what uses it, as far as that can be seen; "" if nothing does.
std::string use_of(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  if (const std::string holders = holders_text(all, at); !holders.empty()) {
    return "held by " + holders;
  }
  if (const auto attached = object.figure("attached").value_or(0); attached > 0) {
    return fmt::format("attached {} times, by processes that cannot be seen from here", attached);
  }
  if (object.state.ends_with("listening")) {
    return "listened at by a process that cannot be seen from here";
  }
  const bool unheld = object.kind == Kind::sysv_queue || object.kind == Kind::sysv_semaphore;
  if (const auto waiting = unheld ? object.figure("waiting").value_or(0) : 0; waiting > 0) {
    return fmt::format("waited for by {} processes", waiting);
  }
  const std::string users = unheld ? living_users(all, at) : "";
  return users.empty() ? "" : "last used by " + users + ", which still lives";
}

// What stands against removing it, "" if nothing does.
std::string objection(const Snapshot& all, std::size_t at, const RmOptions& options) {
  const Object& object = all.objects[at];
  const uid_t own = ::geteuid();
  const bool foreign = object.owner && *object.owner != own && object.creator.value_or(*object.owner) != own;
  if (foreign && own != 0) {
    return fmt::format("it belongs to uid {}, not to uid {}", *object.owner, own);
  }
  if (options.force) {
    return "";
  }
  const std::string use = foreign ? fmt::format("it belongs to uid {}", *object.owner) : use_of(all, at);
  return use.empty() ? "" : use + "; --force removes it nevertheless";
}

// What went with it, and what stays in spite of it.
void say_removed(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  const std::string holders = holders_text(all, at);
  std::string text = "removed " + target_text(object);
  if (const auto messages = object.figure("messages").value_or(0); messages > 0) {
    text += fmt::format(", with {} unread message{}", messages, messages == 1 ? "" : "s");
  }
  if (!holders.empty() && object.kind != Kind::sysv_queue && object.kind != Kind::sysv_semaphore) {
    text += "; its memory or connections stay until the last of these has gone: " + holders;
  }
  fmt::print("{}\n", text);
}

struct PartTarget {
  inspect::DomainPart part;
  std::string name;
};

// "topic:pose": what stands in a domain and not in the kernel.
std::optional<PartTarget> part_target(const std::string& text) {
  using inspect::DomainPart;
  const std::size_t colon = std::min(text.find(':'), text.size());
  for (const DomainPart part :
       std::array{DomainPart::topic, DomainPart::service, DomainPart::stream, DomainPart::queue, DomainPart::board}) {
    if (text.substr(0, colon) == inspect::name_of(part) && colon + 1 < text.size()) {
      return PartTarget{.part = part, .name = text.substr(colon + 1)};
    }
  }
  return std::nullopt;
}

// A blackboard keeps no record of who uses it: those who have its file mapped do.
std::vector<pid_t> who_maps(const std::string& board, const std::string& domain) {
  const Snapshot all = inspect::snapshot({.kinds = {Kind::board}, .directories = {}, .domains = {{domain}}});
  std::vector<pid_t> pids;
  for (const inspect::Edge& edge : all.edges) {
    if (all.objects[edge.object].name == board && inspect::is_hold(edge.relation) && !edge.ended) {
      pids.push_back(edge.pid);
    }
  }
  return pids;
}

// A queue tells all who have it open that it is removed, and who has a blackboard goes on with what it has. The others
// have no way to say that to those who take part.
Result<void> check_unused(const inspect::DomainLeftover& part, const std::string& text, const RmOptions& options) {
  const bool is_board = part.part == inspect::DomainPart::board;
  const bool may_be_forced = is_board || part.part == inspect::DomainPart::queue;
  if (may_be_forced && options.force) {
    return {};
  }
  const auto living = is_board ? who_maps(part.name, options.domain) : part.living;
  if (living.empty()) {
    return {};
  }
  std::string who;
  for (const pid_t pid : living) {
    who += (who.empty() ? "" : ", ") + (pid == 0 ? std::string("a process that is not told") : std::to_string(pid));
  }
  return fail(Error(Errc::permission_denied)
                  .on(text)
                  .because("held by " + who +
                           (may_be_forced ? "; --force removes it nevertheless"
                                          : "; it goes with the last of them: end them first")));
}

Result<void> rm_part(const PartTarget& target, const std::string& text, const RmOptions& options) {
  const auto part = inspect::domain_part(options.domain, target.part, target.name);
  if (!part) {
    return fail(Error(part.error()).on(text));
  }
  return check_unused(*part, text, options).and_then([&] { return remove_part(options.domain, *part); }).transform([&] {
    fmt::print("removed {}\n", escaped(text));
  });
}

Result<void> rm(const std::string& text, const RmOptions& options) {
  if (const auto part = part_target(text)) {
    return rm_part(*part, text, options);
  }
  auto target = object_target(text);
  if (!target) {
    return fail(std::move(target.error()));
  }
  const Snapshot all = inspect::snapshot({.kinds = {target->kind}, .directories = {}, .paths = {target->name}});
  const auto found = std::ranges::find_if(
      all.objects, [&](const Object& one) { return is_meant(one, *target) && !one.state.ends_with("unlinked"); });
  if (found == all.objects.end()) {
    return fail(missing(*target, text));
  }
  const auto at = static_cast<std::size_t>(found - all.objects.begin());
  if (const std::string against = objection(all, at, options); !against.empty()) {
    return fail(Error(Errc::permission_denied).on(text).because(against));
  }
  return remove(*found).transform([&] { say_removed(all, at); });
}

}  // namespace

void add_rm(CLI::App& program, int& code) {
  auto options = std::make_shared<RmOptions>();
  CLI::App* command = program.add_subcommand("rm", "Remove what somebody has left behind");
  command
      ->add_option("TARGET", options->targets, "KIND:NAME as `tenon ls` prints them, or KIND:#ID for System V objects")
      ->required();
  command
      ->add_option("--domain", options->domain,
                   "Where topics, services, streams, queues and boards stand: instead of TENON_DOMAIN, or your own")
      ->type_name("DIR");
  command->add_flag("--force", options->force,
                    "Although somebody still holds it, or, for root, although it is another's");
  command->footer(
      "Example:\n"
      "  tenon rm posix_queue:/jobs sysv_memory:#32769 fifo:/tmp/photos stream:frames queue:jobs\n"
      "One that somebody holds is not removed without --force; who holds it is said.");
  command->callback([options, &code] {
    for (const std::string& target : options->targets) {
      if (auto removed = rm(target, *options); !removed) {
        code = std::max(code, report("rm", removed.error()));
      }
    }
  });
}

}  // namespace tenon::cli
