/// tenon ls [--mechanism KIND]… [--pid PID]… [--user USER]… [--name GLOB]… [--orphans] [--waiting] [--in DIR]…
///          [--domain DIR]… [--json], and tenon ls topics, boards, queues, services (ls_topics.cpp and its like)
#include <tenon/base/name.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/ls_filter.hpp>
#include <cli/object_text.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>
#include <cli/snapshot_json.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <span>

namespace tenon::cli {

namespace {

using inspect::Object;
using inspect::Snapshot;

struct LsOptions {
  std::vector<std::string> kinds;
  std::vector<std::string> directories;
  std::vector<std::string> domains;
  LsFilter filter;
  bool json = false;
};

// Of a private System V object the key says nothing. An eventfd's number is in its name.
std::string name_text(const Object& object) {
  const std::string name = escaped(object.name);
  return is_system_v(object.kind) && object.id ? fmt::format("{} #{}", name, *object.id) : name;
}

std::string content_text(const Object& object) {
  const std::string figures = figures_text(object, false);
  const std::string between = figures.empty() || object.state.empty() ? "" : "; ";
  return object.state + between + figures;
}

/// Users by their names, each looked for once.
class UserNames {
 public:
  const std::string& of(std::optional<uid_t> user) {
    const auto [known, is_new] = names_.try_emplace(user.value_or(static_cast<uid_t>(-1)));
    if (is_new) {
      known->second = user_text(user);
    }
    return known->second;
  }

 private:
  std::map<uid_t, std::string> names_;
};

/// Processes as they are shown, each put together once: most hold many objects.
class Holders {
 public:
  explicit Holders(const Snapshot& all) : all_(all) {}

  std::string of(std::size_t object) {
    std::vector<pid_t> told;
    std::string text;
    for (const inspect::Edge& edge : all_.edges_of(object)) {
      if (inspect::is_hold(edge.relation) && !edge.ended && std::ranges::find(told, edge.pid) == told.end()) {
        told.push_back(edge.pid);
        text += (text.empty() ? "" : ", ") + process(edge.pid);
      }
    }
    return text;
  }

 private:
  const std::string& process(pid_t pid) {
    const auto [known, is_new] = processes_.try_emplace(pid);
    if (is_new) {
      known->second = process_text(all_, pid);
    }
    return known->second;
  }

  const Snapshot& all_;
  std::map<pid_t, std::string> processes_;
};

Result<void> print(const Snapshot& all, std::span<const std::size_t> places) {
  const std::int64_t now = std::time(nullptr);
  UserNames users;
  Holders holders(all);
  Columns columns({"KIND", "NAME", "OWNER", "MODE", "AGE", "CONTENT", "HELD BY"});
  for (const std::size_t place : places) {
    const Object& object = all.objects[place];
    columns.add({std::string(name_of(object.kind)), name_text(object), users.of(object.owner), mode_text(object.mode),
                 age_text(object, now), content_text(object), holders.of(place)});
  }
  return print_whole(columns.text(terminal_width()), step_deadline(0)).transform([&] {
    for (const std::string& sentence : all.unseen) {
      say(fmt::format("tenon ls: not seen: {}\n", escaped(sentence)));
    }
  });
}

// In the order that their readers are run in, whatever the order asked for.
Result<std::vector<inspect::Kind>> kinds_of(const std::vector<std::string>& names) {
  std::vector<inspect::Kind> kinds;
  for (const std::string& name : names) {
    auto kind = inspect::kind_of(name);
    if (!kind) {
      return fail(std::move(kind.error()));
    }
    kinds.push_back(*kind);
  }
  return kinds;
}

inspect::SnapshotOptions snapshot_options(const LsOptions& options, std::vector<inspect::Kind> kinds) {
  inspect::SnapshotOptions wanted{.kinds = std::move(kinds)};
  wanted.directories.insert(wanted.directories.end(), options.directories.begin(), options.directories.end());
  if (!options.domains.empty()) {
    wanted.domains = options.domains;
  }
  wanted.details = options.json;
  wanted.waits = options.filter.waiting || !options.filter.pids.empty();
  return wanted;
}

Result<void> list(const LsOptions& options) {
  return kinds_of(options.kinds).and_then([&](const std::vector<inspect::Kind>& kinds) -> Result<void> {
    const Snapshot all = inspect::snapshot(snapshot_options(options, kinds));
    return listed(all, options.filter).and_then([&](const std::vector<std::size_t>& places) {
      const bool whole = kinds.empty() && places.size() == all.objects.size();
      const Waits waits = whole ? Waits::all : Waits::of_listed;
      return options.json ? print_whole(snapshot_json(all, places, waits), step_deadline(0)) : print(all, places);
    });
  });
}

void add_filters(CLI::App& command, LsOptions& options) {
  command
      .add_option("--mechanism", options.kinds, "Only that kind; this and the next three may be said more than once")
      ->type_name("KIND");
  command.add_option("--pid", options.filter.pids, "Only what that process holds, waits for or used last")
      ->type_name("PID");
  command.add_option("--user", options.filter.users, "Only what that user owns, by name or number")->type_name("USER");
  command.add_option("--name", options.filter.names, "Only what has such a name, as '/job*'")->type_name("GLOB");
  command.add_flag("--orphans", options.filter.orphans, "Only what nobody is seen to hold");
  command.add_flag("--waiting", options.filter.waiting, "Only what somebody waits for");
}

}  // namespace

void add_ls(CLI::App& program, int& code) {
  auto options = std::make_shared<LsOptions>();
  CLI::App* command = program.add_subcommand("ls", "List what there is to communicate through, and who holds it");
  add_filters(*command, *options);
  command
      ->add_option("--in", options->directories,
                   "Look for FIFOs and sockets there too, beside /tmp, /run and whatever is open")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command
      ->add_option("--domain", options->domains,
                   "Look for topics and the like there, instead of TENON_DOMAIN and each user's own in /dev/shm")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print {objects, processes, waits, unseen}; docs/tools.md has the schema");
  command->footer(
      "Example:\n"
      "  tenon ls --mechanism posix_queue --mechanism sysv_queue\n"
      "  tenon ls --user ada --orphans\n"
      "It opens no pipe, socket or memory and changes nothing. What it has not the right to see it says on standard "
      "error.");
  add_ls_topics(*command, code);
  add_ls_boards(*command, code);
  add_ls_queues(*command, code);
  add_ls_services(*command, code);
  command->callback([command, options, &code] {
    if (command->get_subcommands().empty()) {
      const auto done = list(*options);
      code = done ? succeeded : report("ls", done.error());
    }
  });
}

}  // namespace tenon::cli
