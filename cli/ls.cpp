/// tenon ls [--mechanism KIND]… [--in DIR]… [--json], and tenon ls topics, boards, queues, services (ls_topics.cpp
/// and its like)
#include <tenon/base/name.hpp>
#include <tenon/inspect/snapshot.hpp>

#include <cli/columns.hpp>
#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/object_text.hpp>
#include <cli/output_file.hpp>
#include <cli/say.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <memory>

namespace tenon::cli {

namespace {

using nlohmann::json;

struct LsOptions {
  std::vector<std::string> kinds;
  std::vector<std::string> directories;
  bool json = false;
};

// Of a private System V object the key says nothing.
std::string name_text(const inspect::Object& object) {
  const std::string name = escaped(object.name);
  return object.id ? fmt::format("{} #{}", name, *object.id) : name;
}

std::string content_text(const inspect::Object& object) {
  const std::string figures = figures_text(object, false);
  const std::string between = figures.empty() || object.state.empty() ? "" : "; ";
  return object.state + between + figures;
}

Result<void> print(const inspect::Snapshot& all) {
  const std::int64_t now = std::time(nullptr);
  Columns columns({"KIND", "NAME", "OWNER", "MODE", "AGE", "CONTENT", "HELD BY"});
  for (std::size_t i = 0; i < all.objects.size(); ++i) {
    const inspect::Object& object = all.objects[i];
    columns.add({std::string(inspect::name_of(object.kind)), name_text(object), user_text(object.owner),
                 mode_text(object.mode), age_text(object, now), content_text(object), holders_text(all, i)});
  }
  return print_whole(columns.text(terminal_width()), step_deadline(0)).transform([&] {
    for (const std::string& sentence : all.unseen) {
      say(fmt::format("tenon ls: not seen: {}\n", escaped(sentence)));
    }
  });
}

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json edges_of(const inspect::Snapshot& all, std::size_t object, bool holds) {
  json rows = json::array();
  for (const inspect::Edge& edge : all.edges_of(object)) {
    if (inspect::is_hold(edge.relation) == holds) {
      json row = {{"pid", edge.pid}, {"relation", inspect::name_of(edge.relation)}, {"ended", edge.ended}};
      if (holds) {
        row["descriptor"] = edge.descriptor == -1 ? json(nullptr) : json(edge.descriptor);
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

json json_of(const inspect::Snapshot& all, std::size_t at) {
  const inspect::Object& object = all.objects[at];
  json figures = json::object();
  for (const inspect::Figure& figure : object.figures) {
    figures[figure.name] = figure.value;
  }
  const bool file = object.file != inspect::FileId{};
  return {{"kind", inspect::name_of(object.kind)},
          {"name", escaped(object.name)},
          {"id", or_null(object.id)},
          {"device", file ? json(object.file.device) : json(nullptr)},
          {"inode", file ? json(object.file.inode) : json(nullptr)},
          {"owner", or_null(object.owner)},
          {"creator", or_null(object.creator)},
          {"mode", object.mode ? json(mode_text(object.mode)) : json(nullptr)},
          {"state", object.state},
          {"figures", std::move(figures)},
          {"created", or_null(object.created)},
          {"changed", or_null(object.changed)},
          {"used", or_null(object.used)},
          {"holders", edges_of(all, at, true)},
          {"last_users", edges_of(all, at, false)}};
}

Result<void> print_json(const inspect::Snapshot& all) {
  json objects = json::array();
  for (std::size_t i = 0; i < all.objects.size(); ++i) {
    objects.push_back(json_of(all, i));
  }
  json processes = json::array();
  for (const inspect::Process& process : all.processes) {
    processes.push_back({{"pid", process.pid}, {"uid", process.user}, {"command", escaped(process.command)}});
  }
  json unseen = json::array();
  for (const std::string& sentence : all.unseen) {
    unseen.push_back(escaped(sentence));
  }
  const json whole = {
      {"objects", std::move(objects)}, {"processes", std::move(processes)}, {"unseen", std::move(unseen)}};
  return print_whole(whole.dump(2) + "\n", step_deadline(0));
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

int ls(const LsOptions& options) {
  auto kinds = kinds_of(options.kinds);
  if (!kinds) {
    return report("ls", kinds.error());
  }
  inspect::SnapshotOptions wanted{.kinds = std::move(*kinds)};
  wanted.directories.insert(wanted.directories.end(), options.directories.begin(), options.directories.end());
  const auto all = inspect::snapshot(wanted);
  const auto printed = options.json ? print_json(all) : print(all);
  return printed ? succeeded : report("ls", printed.error());
}

}  // namespace

void add_ls(CLI::App& program, int& code) {
  auto options = std::make_shared<LsOptions>();
  CLI::App* command = program.add_subcommand("ls", "List what there is to communicate through, and who holds it");
  command->add_option("--mechanism", options->kinds, "Only that kind; may be said more than once")->type_name("KIND");
  command
      ->add_option("--in", options->directories,
                   "Look for FIFOs and sockets there too, beside /tmp, /run and whatever is open")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print {objects, processes, unseen}; docs/tools.md has the schema");
  command->footer(
      "Example:\n"
      "  tenon ls --mechanism posix_queue --mechanism sysv_queue\n"
      "It opens no FIFO, socket or memory and changes nothing. What it has not the right to see it says on standard "
      "error.");
  add_ls_topics(*command, code);
  add_ls_boards(*command, code);
  add_ls_queues(*command, code);
  add_ls_services(*command, code);
  command->callback([command, options, &code] {
    if (command->get_subcommands().empty()) {
      code = ls(*options);
    }
  });
}

}  // namespace tenon::cli
