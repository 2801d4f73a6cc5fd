#include <cli/snapshot_json.hpp>

#include <tenon/base/name.hpp>

#include <cli/object_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::cli {

namespace {

using inspect::Edge;
using inspect::Object;
using inspect::Snapshot;
using nlohmann::json;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

/// Descriptors by object and process.
using Descriptors = std::vector<const inspect::Descriptor*>;

auto user_of(const inspect::Descriptor* one) { return std::pair(one->object, one->pid); }
auto place_of(const inspect::Descriptor* one) { return std::tuple(one->object, one->pid, one->number); }

Descriptors by_object(const Snapshot& all) {
  Descriptors descriptors;
  descriptors.reserve(all.descriptors.size());
  for (const inspect::Descriptor& one : all.descriptors) {
    descriptors.push_back(&one);
  }
  std::ranges::sort(descriptors, {}, place_of);
  return descriptors;
}

// "r", "w", "rw", and "" where it cannot be seen.
std::string access_text(bool reads, bool writes) { return std::string(reads ? "r" : "") + (writes ? "w" : ""); }

json descriptors_of(const Descriptors& descriptors, const Edge& edge) {
  json rows = json::array();
  if (edge.relation == inspect::Relation::holds) {
    for (const auto* const one : std::ranges::equal_range(descriptors, std::pair(edge.object, edge.pid), {}, user_of)) {
      rows.push_back({{"number", one->number}, {"access", access_text(one->reads, one->writes)}});
    }
  }
  return rows;
}

json holders_of(const Snapshot& all, std::size_t at, const Descriptors& descriptors) {
  json rows = json::array();
  for (const Edge& edge : all.edges_of(at)) {
    if (inspect::is_hold(edge.relation)) {
      rows.push_back({{"pid", edge.pid},
                      {"thread", edge.thread == 0 ? json(nullptr) : json(edge.thread)},
                      {"relation", name_of(edge.relation)},
                      {"ended", edge.ended},
                      {"access", access_text(edge.reads, edge.writes)},
                      {"descriptors", descriptors_of(descriptors, edge)},
                      {"messages", or_null(edge.messages)}});
    }
  }
  return rows;
}

json last_users_of(const Snapshot& all, std::size_t at) {
  json rows = json::array();
  for (const Edge& edge : all.edges_of(at)) {
    if (!inspect::is_hold(edge.relation)) {
      rows.push_back({{"pid", edge.pid}, {"relation", name_of(edge.relation)}, {"ended", edge.ended}});
    }
  }
  return rows;
}

json socket_of(const Object& object) {
  if (!object.socket) {
    return nullptr;
  }
  const inspect::SocketEnd& end = *object.socket;
  return {{"inode", end.inode},
          {"type", inspect::socket_type_name(end.type)},
          {"state", name_of(end.state)},
          {"name", escaped(end.name)},
          {"peer", end.peer == 0 ? json(nullptr) : json(end.peer)},
          {"receive_queue", end.receive_queue},
          {"send_queue", end.send_queue}};
}

json lock_of(const Object& object) {
  if (!object.lock) {
    return nullptr;
  }
  return {{"family", name_of(object.lock->family)},
          {"mode", object.lock->writes ? "write" : "read"},
          {"first", object.lock->first},
          {"last", or_null(object.lock->last)}};
}

json semaphores_of(const Object& object) {
  json rows = json::array();
  for (const inspect::SemaphoreOfSet& one : object.set) {
    rows.push_back({{"value", one.value},
                    {"waiting_for_more", one.waiting_for_more},
                    {"waiting_for_zero", one.waiting_for_zero},
                    {"last", one.last}});
  }
  return rows;
}

json awaited_of(const Object& object) {
  json needs = json::array();
  for (const inspect::Need need : object.awaited) {
    needs.push_back(name_of(need));
  }
  return needs;
}

json json_of(const Snapshot& all, std::size_t at, const Descriptors& descriptors) {
  const Object& object = all.objects[at];
  json figures = json::object();
  for (const inspect::Figure& figure : object.figures) {
    figures[figure.name] = figure.value;
  }
  json times = json::object();
  for (const inspect::Moment& moment : object.times) {
    times[moment.name] = moment.at;
  }
  const bool file = object.file != inspect::FileId{};
  return {{"kind", name_of(object.kind)},
          {"name", escaped(object.name)},
          {"domain", object.domain.empty() ? json(nullptr) : json(escaped(object.domain))},
          {"id", or_null(object.id)},
          {"device", file ? json(object.file.device) : json(nullptr)},
          {"inode", file ? json(object.file.inode) : json(nullptr)},
          {"owner", or_null(object.owner)},
          {"group", or_null(object.group)},
          {"creator", or_null(object.creator)},
          {"creator_group", or_null(object.creator_group)},
          {"mode", object.mode ? json(mode_text(object.mode)) : json(nullptr)},
          {"size", or_null(object.size)},
          {"state", object.state},
          {"figures", std::move(figures)},
          {"created", or_null(object.created)},
          {"changed", or_null(object.changed)},
          {"used", or_null(object.used)},
          {"times", std::move(times)},
          {"semaphores", semaphores_of(object)},
          {"socket", socket_of(object)},
          {"lock", lock_of(object)},
          {"awaited", awaited_of(object)},
          {"holders", holders_of(all, at, descriptors)},
          {"last_users", last_users_of(all, at)}};
}

json json_of(const inspect::Wait& wait, const std::vector<std::size_t>& objects) {
  return {{"pid", wait.pid},
          {"thread", wait.thread == 0 ? json(nullptr) : json(wait.thread)},
          {"call", wait.call},
          {"need", name_of(wait.need)},
          {"objects", objects},
          {"since", or_null(wait.since)},
          {"unseen", escaped(wait.unseen)}};
}

// Those that wait for one of the listed objects, which are told by their places in the list.
json waits_of(const Snapshot& all, std::span<const std::size_t> places, std::set<pid_t>& people) {
  std::map<std::size_t, std::size_t> listed;
  for (std::size_t i = 0; i < places.size(); ++i) {
    listed[places[i]] = i;
  }
  json rows = json::array();
  for (const inspect::Wait& wait : all.waits) {
    std::vector<std::size_t> objects;
    for (const std::size_t object : wait.objects) {
      if (const auto found = listed.find(object); found != listed.end()) {
        objects.push_back(found->second);
      }
    }
    if (!objects.empty() || (wait.objects.empty() && places.size() == all.objects.size())) {
      rows.push_back(json_of(wait, objects));
      people.insert(wait.pid);
    }
  }
  return rows;
}

json processes_of(const Snapshot& all, const std::set<pid_t>& people) {
  json rows = json::array();
  for (const inspect::Process& process : all.processes) {
    if (people.contains(process.pid)) {
      rows.push_back({{"pid", process.pid},
                      {"uid", process.user},
                      {"name", escaped(process.name)},
                      {"command", escaped(process.command)}});
    }
  }
  return rows;
}

// An array with a line for each, and nothing between them that only people need: there may be ten thousand.
void add_lines(std::string& text, const char* name, const std::vector<std::string>& lines) {
  text += std::string("\"") + name + "\": [";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + lines[i];
  }
  text += "]";
}

std::vector<std::string> lines_of(const json& rows) {
  std::vector<std::string> lines;
  for (const json& row : rows) {
    lines.push_back(row.dump());
  }
  return lines;
}

}  // namespace

std::string snapshot_json(const Snapshot& all, std::span<const std::size_t> places) {
  const Descriptors descriptors = by_object(all);
  std::set<pid_t> people;
  std::vector<std::string> objects;
  for (const std::size_t place : places) {
    objects.push_back(json_of(all, place, descriptors).dump());
    for (const Edge& edge : all.edges_of(place)) {
      people.insert(edge.pid);
    }
  }
  const json waits = waits_of(all, places, people);
  json unseen = json::array();
  for (const std::string& sentence : all.unseen) {
    unseen.push_back(escaped(sentence));
  }
  std::string text = "{";
  add_lines(text, "objects", objects);
  add_lines(text += ",\n", "processes", lines_of(processes_of(all, people)));
  add_lines(text += ",\n", "waits", lines_of(waits));
  add_lines(text += ",\n", "unseen", lines_of(unseen));
  return text + "}\n";
}

}  // namespace tenon::cli
