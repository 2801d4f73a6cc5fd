#include <cli/object_text.hpp>

#include <tenon/base/name.hpp>

#include <cli/columns.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <pwd.h>
#include <string_view>
#include <vector>

namespace tenon::cli {

namespace {

constexpr std::size_t most_of_a_command = 40;

struct Unit {
  std::int64_t seconds;
  char letter;
};
constexpr std::array units = {Unit{86400, 'd'}, Unit{3600, 'h'}, Unit{60, 'm'}, Unit{1, 's'}};

std::string duration_text(std::int64_t seconds) {
  const auto unit = std::ranges::find_if(units, [&](const Unit& one) { return seconds >= one.seconds; });
  return unit == units.end() ? "0s" : fmt::format("{}{}", seconds / unit->seconds, unit->letter);
}

// "1 message", "2 messages"
std::string counted(std::uint64_t value, std::string name) {
  if (value == 1 && name.ends_with('s')) {
    name.pop_back();
  }
  return fmt::format("{} {}", value, name);
}

}  // namespace

std::string target_text(const inspect::Object& object) {
  const std::string kind(inspect::name_of(object.kind));
  return is_system_v(object.kind) && object.id ? fmt::format("{}:#{}", kind, *object.id)
                                               : kind + ":" + escaped(object.name);
}

std::string figures_text(const inspect::Object& object, bool with_limits) {
  std::string text;
  for (const inspect::Figure& figure : object.figures) {
    std::string name = figure.name;
    std::ranges::replace(name, '_', ' ');
    if (!with_limits && name.starts_with("max ")) {
      continue;
    }
    text += text.empty() ? "" : ", ";
    text += name == "value" ? fmt::format("value {}", figure.value) : counted(figure.value, std::move(name));
  }
  return text;
}

std::string user_text(std::optional<uid_t> user) {
  if (!user) {
    return "?";
  }
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(*user, &entry, room.data(), room.size(), &found);
  return found != nullptr ? escaped(entry.pw_name) : std::to_string(*user);
}

std::string mode_text(std::optional<mode_t> mode) { return mode ? fmt::format("{:04o}", *mode) : "?"; }

std::string process_text(const inspect::Snapshot& all, pid_t pid) {
  const inspect::Process* process = all.process(pid);
  return process == nullptr ? std::to_string(pid)
                            : fmt::format("{} ({})", pid, cut(escaped(process->command), most_of_a_command));
}

std::string holders_text(const inspect::Snapshot& all, std::size_t object) {
  std::vector<pid_t> told;
  std::string text;
  for (const inspect::Edge& edge : all.edges_of(object)) {
    if (inspect::is_hold(edge.relation) && !edge.ended && std::ranges::find(told, edge.pid) == told.end()) {
      told.push_back(edge.pid);
      text += (text.empty() ? "" : ", ") + process_text(all, edge.pid);
    }
  }
  return text;
}

std::string age_text(const inspect::Object& object, std::int64_t now) {
  const auto since = object.created ? object.created : object.changed;
  if (!since) {
    return "?";
  }
  return (object.created ? "" : ">") + duration_text(std::max<std::int64_t>(now - *since, 0));
}

}  // namespace tenon::cli
