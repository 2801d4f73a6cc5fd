/// tenon show OBJECT|PID [--messages N] [--json]
#include <tenon/base/name.hpp>
#include <tenon/os/procfs.hpp>

#include <cli/command.hpp>
#include <cli/interrupt.hpp>
#include <cli/object_target.hpp>
#include <cli/object_text.hpp>
#include <cli/object_view.hpp>
#include <cli/output_file.hpp>
#include <cli/process_view.hpp>
#include <cli/say.hpp>
#include <cli/scalar_text.hpp>
#include <cli/snapshot_json.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <memory>

namespace tenon::cli {

namespace {

using inspect::Object;
using inspect::Snapshot;

struct ShowOptions {
  std::string target;
  std::string domain;
  std::vector<std::string> directories;
  std::size_t messages = 10;
  bool json = false;
};

// "/jobs" is meant by "jobs" too, and a file by the end of its path.
bool goes_by(const Object& object, const std::string& name) {
  return object.name == name || object.name == "/" + name || object.name.ends_with("/" + name);
}

inspect::SnapshotOptions look(const ShowOptions& options, std::vector<inspect::Kind> kinds, std::string path) {
  inspect::SnapshotOptions wanted{.kinds = std::move(kinds), .waits = true, .details = true};
  wanted.directories.insert(wanted.directories.end(), options.directories.begin(), options.directories.end());
  wanted.paths = {std::move(path)};
  if (!options.domain.empty()) {
    wanted.domains = {{options.domain}};
  }
  return wanted;
}

Result<std::size_t> only_one(const Snapshot& all, const std::vector<std::size_t>& places, const std::string& text) {
  if (places.size() == 1) {
    return places.front();
  }
  if (places.empty()) {
    return fail(Error(Errc::not_found).on(text).because("nothing goes by that name; see tenon ls"));
  }
  std::string names;
  for (const std::size_t place : places) {
    names += (names.empty() ? "" : ", ") + target_text(all.objects[place]);
  }
  return fail(Error(Errc::invalid_argument).on(text).because("several go by that name: " + names));
}

template <class IsMeant>
Result<std::size_t> find(const Snapshot& all, const std::string& text, IsMeant is_meant_one) {
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < all.objects.size(); ++at) {
    if (is_meant_one(all.objects[at])) {
      places.push_back(at);
    }
  }
  return only_one(all, places, text);
}

Result<void> show_object(const Snapshot& all, std::size_t at, const ShowOptions& options) {
  const ObjectView view = view_of(all, at, options.messages);
  return print_whole(options.json ? view_json(all, view) : view_text(all, view), step_deadline(0));
}

Result<void> show_by_kind(const ObjectTarget& target, const ShowOptions& options) {
  const Snapshot all = inspect::snapshot(look(options, {target.kind}, target.name));
  return find(all, options.target, [&](const Object& object) { return is_meant(object, target); })
      .and_then([&](std::size_t at) { return show_object(all, at, options); });
}

Result<void> show_by_name(const ShowOptions& options) {
  const Snapshot all = inspect::snapshot(look(options, {}, options.target));
  return find(all, options.target, [&](const Object& object) { return goes_by(object, options.target); })
      .and_then([&](std::size_t at) { return show_object(all, at, options); });
}

Result<void> show_process(pid_t pid, const ShowOptions& options) {
  if (!procfs::process(pid)) {
    return fail(Error(Errc::not_found).on(options.target).because("there is no such process"));
  }
  const Snapshot all = inspect::snapshot(look(options, {}, ""));
  const std::string text =
      options.json ? snapshot_json(all, objects_of(all, pid), Waits::of_listed) : process_view(all, pid);
  return print_whole(text, step_deadline(0)).transform([&] {
    for (const std::string& sentence : options.json ? std::vector<std::string>() : all.unseen) {
      say(fmt::format("tenon show: not seen: {}\n", escaped(sentence)));
    }
  });
}

Result<void> show(const ShowOptions& options) {
  if (const auto pid = whole_number_in(options.target)) {
    return show_process(static_cast<pid_t>(*pid), options);
  }
  const std::size_t colon = options.target.find(':');
  const bool has_kind = colon != std::string::npos && inspect::kind_of(options.target.substr(0, colon));
  if (!has_kind) {
    return show_by_name(options);
  }
  return object_target(options.target).and_then([&](const ObjectTarget& target) {
    return show_by_kind(target, options);
  });
}

}  // namespace

void add_show(CLI::App& program, int& code) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = program.add_subcommand("show", "Show everything about one object, or all that a process has");
  command
      ->add_option("OBJECT", options->target,
                   "KIND:NAME or KIND:#ID as `tenon ls` prints them, a name that only one has, or a process id")
      ->required();
  command->add_option("--messages", options->messages, "How many messages to peek at, where that takes none away")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--domain", options->domain, "Where Tenon's own are looked for, instead of all that can be found")
      ->type_name("DIR");
  command->add_option("--in", options->directories, "Look for FIFOs and sockets there too")
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print one object; docs/tools.md has the schema");
  command->footer(
      "Example:\n"
      "  tenon show sysv_queue:#5\n"
      "  tenon show jobs\n"
      "  tenon show 1234\n"
      "Nothing is taken or changed. How full a pipe is it asks through a copy of a holder's descriptor, which it has "
      "for\nless than a millisecond.");
  command->callback([options, &code] {
    const auto shown = show(*options);
    code = shown ? succeeded : report("show", shown.error());
  });
}

}  // namespace tenon::cli
