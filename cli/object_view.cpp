#include <cli/object_view.hpp>

#include <tenon/base/name.hpp>
#include <tenon/os/clock.hpp>

#include <cli/object_limits.hpp>
#include <cli/object_text.hpp>
#include <cli/snapshot_json.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>

namespace tenon::cli {

namespace {

using inspect::Edge;
using inspect::Object;
using inspect::Snapshot;
using nlohmann::json;

void line(std::string& text, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    fmt::format_to(std::back_inserter(text), "  {:<14} {}\n", name, value);
  }
}

std::string moment_text(std::int64_t at) {
  const std::time_t seconds = at;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return std::string(text.data(), length);
}

void add_attributes(std::string& text, const Object& object) {
  line(text, "name", escaped(object.name));
  line(text, "state", object.state);
  line(text, "owner", user_text(object.owner) + ", mode " + mode_text(object.mode));
  if (object.creator && object.creator != object.owner) {
    line(text, "made by user", user_text(object.creator));
  }
  line(text, "domain", escaped(object.domain));
  if (object.file.inode != 0) {
    line(text, "file", fmt::format("device {}, inode {}", object.file.device, object.file.inode));
  }
  for (const inspect::Figure& figure : object.figures) {
    std::string name = figure.name;
    std::ranges::replace(name, '_', ' ');
    line(text, name, std::to_string(figure.value));
  }
  for (std::size_t i = 0; i < object.set.size(); ++i) {
    const inspect::SemaphoreOfSet& one = object.set[i];
    line(text, fmt::format("semaphore {}", i),
         fmt::format("value {}, {} wait for more, {} for zero, last used by {}", one.value, one.waiting_for_more,
                     one.waiting_for_zero, one.last == 0 ? "nobody" : std::to_string(one.last)));
  }
}

void add_times(std::string& text, const Object& object) {
  if (object.created) {
    line(text, "created", moment_text(*object.created));
  }
  if (object.changed) {
    line(text, "changed", moment_text(*object.changed));
  }
  for (const inspect::Moment& moment : object.times) {
    line(text, "last " + std::string(moment.name), moment_text(moment.at));
  }
}

std::string access_text(bool reads, bool writes) {
  return reads && writes ? "reads and writes" : reads ? "reads" : writes ? "writes" : "";
}

// "fd 3 reads, fd 4 writes"; "" where it has none.
std::string descriptors_text(const Snapshot& all, const Edge& edge) {
  std::string text;
  for (const inspect::Descriptor& one : all.descriptors_of(edge.pid)) {
    if (one.object == edge.object) {
      const std::string access = access_text(one.reads, one.writes);
      text += fmt::format("{}fd {}{}{}", text.empty() ? "" : ", ", one.number, access.empty() ? "" : " ", access);
    }
  }
  return text;
}

std::string edge_text(const Snapshot& all, const Edge& edge) {
  std::string text = process_text(all, edge.pid);
  const std::string descriptors =
      edge.relation == inspect::Relation::holds ? descriptors_text(all, edge) : access_text(edge.reads, edge.writes);
  text += descriptors.empty() ? "" : ": " + descriptors;
  if (edge.thread != 0) {
    text += fmt::format(", thread {}", edge.thread);
  }
  if (edge.messages) {
    text += fmt::format(", {} messages", *edge.messages);
  }
  return text + (edge.ended ? ", which has ended" : "");
}

void add_edges(std::string& text, const Snapshot& all, std::size_t object, bool holds, const char* heading) {
  std::string lines;
  for (const Edge& edge : all.edges_of(object)) {
    if (inspect::is_hold(edge.relation) == holds) {
      std::string relation(inspect::name_of(edge.relation));
      std::ranges::replace(relation, '_', ' ');
      line(lines, relation, edge_text(all, edge));
    }
  }
  if (!lines.empty() || holds) {
    text += fmt::format("{}\n{}", heading, lines.empty() ? "  nobody is seen to\n" : lines);
  }
}

void add_waits(std::string& text, const Snapshot& all, std::size_t object) {
  std::string lines;
  for (const inspect::Wait& wait : all.waits) {
    if (std::ranges::find(wait.objects, object) != wait.objects.end()) {
      const std::string since =
          wait.since ? fmt::format(" for {:.1f} s", static_cast<double>(monotonic_now() - *wait.since) / 1e9) : "";
      line(lines, inspect::name_of(wait.need), process_text(all, wait.pid) + " in " + wait.call + since);
    }
  }
  for (const inspect::Need need : lines.empty() ? all.objects[object].awaited : std::vector<inspect::Need>()) {
    line(lines, inspect::name_of(need), "somebody has said so, it is not told who");
  }
  text += lines.empty() ? "" : "waited for\n" + lines;
}

void add_content(std::string& text, const ObjectView& view) {
  std::string lines;
  if (view.pipe.depth) {
    line(lines, "unread", fmt::format("{} of {} bytes", view.pipe.depth->unread, view.pipe.depth->capacity));
  }
  line(lines, "not seen", escaped(view.pipe.unseen));
  for (const PeekedMessage& one : view.messages.messages) {
    line(lines, fmt::format("{} bytes", one.bytes), one.about + ": " + escaped(one.begins));
  }
  line(lines, "not seen", escaped(view.messages.unseen));
  text += lines.empty() ? "" : "content\n" + lines;
}

void add_limits(std::string& text, const ObjectView& view) {
  text += view.limits.empty() ? "" : "limits\n";
  for (const inspect::Setting& limit : view.limits) {
    fmt::format_to(std::back_inserter(text), "  {}: {}; {}\n", limit.name, limit.value, limit.meaning);
  }
}

json messages_json(const PeekedMessages& peeked) {
  json rows = json::array();
  for (const PeekedMessage& one : peeked.messages) {
    rows.push_back({{"about", one.about}, {"bytes", one.bytes}, {"begins", escaped(one.begins)}});
  }
  return rows;
}

json limits_json(const std::vector<inspect::Setting>& limits) {
  json rows = json::array();
  for (const inspect::Setting& one : limits) {
    rows.push_back({{"name", one.name}, {"value", one.value}, {"meaning", one.meaning}});
  }
  return rows;
}

}  // namespace

ObjectView view_of(const Snapshot& all, std::size_t object, std::size_t most) {
  return {.object = object,
          .limits = limits_of(all.objects[object].kind),
          .messages = peek_messages(all.objects[object], most),
          .pipe = pipe_depth(all, object)};
}

std::string view_text(const Snapshot& all, const ObjectView& view) {
  const Object& object = all.objects[view.object];
  std::string text = target_text(object) + "\n";
  add_attributes(text, object);
  add_times(text, object);
  add_edges(text, all, view.object, true, "held");
  add_edges(text, all, view.object, false, "remembered");
  add_waits(text, all, view.object);
  add_content(text, view);
  add_limits(text, view);
  return text;
}

std::string view_json(const Snapshot& all, const ObjectView& view) {
  json whole = json::parse(snapshot_json(all, std::array{view.object}, Waits::of_listed));
  whole["object"] = whole["objects"].at(0);
  whole.erase("objects");
  for (const std::string& sentence : {view.messages.unseen, view.pipe.unseen}) {
    if (!sentence.empty()) {
      whole["unseen"].push_back(escaped(sentence));
    }
  }
  whole["limits"] = limits_json(view.limits);
  whole["messages"] = messages_json(view.messages);
  whole["unread"] = view.pipe.depth ? json(view.pipe.depth->unread) : json(nullptr);
  whole["capacity"] = view.pipe.depth ? json(view.pipe.depth->capacity) : json(nullptr);
  return whole.dump(2) + "\n";
}

}  // namespace tenon::cli
