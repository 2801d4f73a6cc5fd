#include <cli/snapshot_json.hpp>

#include <tenon/base/name.hpp>

#include <cli/json_text.hpp>
#include <cli/object_text.hpp>

#include <fmt/core.h>

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

void add_descriptors(JsonText& json, const Descriptors& descriptors, const Edge& edge) {
  json.key("descriptors").begin_array();
  const bool holds = edge.relation == inspect::Relation::holds;
  const auto own = holds ? std::ranges::equal_range(descriptors, std::pair(edge.object, edge.pid), {}, user_of)
                         : std::ranges::subrange(descriptors.end(), descriptors.end());
  for (const auto* const one : own) {
    json.begin_object().key("number").number(one->number);
    json.key("access").text(access_text(one->reads, one->writes));
    if (one->opened) {
      json.key("flags").text(fmt::format("0{:o}", one->opened->flags));
      json.key("position").number(one->opened->position);
      json.key("mount").number(one->opened->mount);
    } else {
      json.key("flags").null().key("position").null().key("mount").null();
    }
    json.end_object();
  }
  json.end_array();
}

void add_holders(JsonText& json, const Snapshot& all, std::size_t at, const Descriptors& descriptors) {
  json.key("holders").begin_array();
  for (const Edge& edge : all.edges_of(at)) {
    if (inspect::is_hold(edge.relation)) {
      json.begin_object().key("pid").number(edge.pid);
      json.key("thread").number_or_null(edge.thread == 0 ? std::nullopt : std::optional(edge.thread));
      json.key("relation").text(name_of(edge.relation)).key("ended").boolean(edge.ended);
      json.key("access").text(access_text(edge.reads, edge.writes));
      json.key("mapped").number_or_null(edge.mapped == 0 ? std::nullopt : std::optional(edge.mapped));
      add_descriptors(json, descriptors, edge);
      json.key("messages").number_or_null(edge.messages).end_object();
    }
  }
  json.end_array();
}

void add_last_users(JsonText& json, const Snapshot& all, std::size_t at) {
  json.key("last_users").begin_array();
  for (const Edge& edge : all.edges_of(at)) {
    if (!inspect::is_hold(edge.relation)) {
      json.begin_object().key("pid").number(edge.pid).key("relation").text(name_of(edge.relation));
      json.key("ended").boolean(edge.ended).end_object();
    }
  }
  json.end_array();
}

std::optional<std::string> peer_name_of(const Snapshot& all, const inspect::SocketEnd& end) {
  return end.peer_object ? std::optional(escaped(all.objects[*end.peer_object].socket->name)) : std::nullopt;
}

void add_socket(JsonText& json, const Snapshot& all, const Object& object) {
  json.key("socket");
  if (!object.socket) {
    json.null();
    return;
  }
  const inspect::SocketEnd& end = *object.socket;
  json.begin_object().key("inode").number(end.inode).key("device").number(end.device);
  json.key("type").text(inspect::socket_type_name(end.type)).key("state").text(name_of(end.state));
  json.key("name").text(escaped(end.name)).key("user").number_or_null(end.user).key("address");
  end.address ? json.text(fmt::format("0x{:016x}", *end.address)) : json.null();
  json.key("peer").number_or_null(end.peer == 0 ? std::nullopt : std::optional(end.peer)).key("peer_name");
  const auto peer = peer_name_of(all, end);
  peer ? json.text(*peer) : json.null();
  json.key("receive_queue").number(end.receive_queue).key("send_queue").number(end.send_queue).end_object();
}

void add_lock(JsonText& json, const Object& object) {
  json.key("lock");
  if (!object.lock) {
    json.null();
    return;
  }
  json.begin_object().key("family").text(name_of(object.lock->family));
  json.key("mode").text(object.lock->writes ? "write" : "read");
  json.key("first").number(object.lock->first).key("last").number_or_null(object.lock->last).end_object();
}

void add_semaphores(JsonText& json, const Object& object) {
  json.key("semaphores").begin_array();
  for (const inspect::SemaphoreOfSet& one : object.set) {
    json.begin_object().key("value").number(one.value);
    json.key("waiting_for_more").number(one.waiting_for_more).key("waiting_for_zero").number(one.waiting_for_zero);
    json.key("last").number(one.last).end_object();
  }
  json.end_array();
}

void add_figures(JsonText& json, const Object& object) {
  json.key("figures").begin_object();
  for (const inspect::Figure& figure : object.figures) {
    json.key(figure.name).number(figure.value);
  }
  json.end_object().key("times").begin_object();
  for (const inspect::Moment& moment : object.times) {
    json.key(moment.name).number(moment.at);
  }
  json.end_object();
}

// Who it is, and what it is like.
void add_attributes(JsonText& json, const Object& object) {
  const bool is_file = object.file != inspect::FileId{};
  json.key("kind").text(name_of(object.kind)).key("name").text(escaped(object.name)).key("domain");
  object.domain.empty() ? json.null() : json.text(escaped(object.domain));
  json.key("id").number_or_null(object.id);
  json.key("device");
  is_file ? json.number(object.file.device) : json.null();
  json.key("inode");
  is_file ? json.number(object.file.inode) : json.null();
  json.key("owner").number_or_null(object.owner).key("group").number_or_null(object.group);
  json.key("creator").number_or_null(object.creator).key("creator_group").number_or_null(object.creator_group);
  json.key("mode");
  object.mode ? json.text(mode_text(object.mode)) : json.null();
  json.key("size").number_or_null(object.size).key("links").number_or_null(object.links);
  json.key("state").text(object.state).key("created").number_or_null(object.created);
  json.key("changed").number_or_null(object.changed).key("used").number_or_null(object.used);
}

void add_object(JsonText& json, const Snapshot& all, std::size_t at, const Descriptors& descriptors) {
  const Object& object = all.objects[at];
  json.new_line().begin_object();
  add_attributes(json, object);
  add_figures(json, object);
  add_semaphores(json, object);
  add_socket(json, all, object);
  add_lock(json, object);
  json.key("awaited").begin_array();
  for (const inspect::Need need : object.awaited) {
    json.text(name_of(need));
  }
  json.end_array();
  add_holders(json, all, at, descriptors);
  add_last_users(json, all, at);
  json.end_object();
}

void add_wait(JsonText& json, const inspect::Wait& wait, const std::vector<std::size_t>& objects) {
  json.new_line().begin_object().key("pid").number(wait.pid);
  json.key("thread").number_or_null(wait.thread == 0 ? std::nullopt : std::optional(wait.thread));
  json.key("call").text(wait.call).key("need").text(name_of(wait.need)).key("objects").begin_array();
  std::ranges::for_each(objects, [&](std::size_t object) { json.number(object); });
  json.end_array().key("since").number_or_null(wait.since).key("unseen").text(escaped(wait.unseen)).end_object();
}

// Objects are told by their places in the list.
void add_waits(JsonText& json, const Snapshot& all, std::span<const std::size_t> places, Waits wanted,
               std::set<pid_t>& people) {
  std::map<std::size_t, std::size_t> listed;
  for (std::size_t i = 0; i < places.size(); ++i) {
    listed[places[i]] = i;
  }
  json.key("waits").begin_array();
  for (const inspect::Wait& wait : all.waits) {
    std::vector<std::size_t> objects;
    for (const std::size_t object : wait.objects) {
      if (const auto found = listed.find(object); found != listed.end()) {
        objects.push_back(found->second);
      }
    }
    if (!objects.empty() || (wait.objects.empty() && wanted == Waits::all)) {
      add_wait(json, wait, objects);
      people.insert(wait.pid);
    }
  }
  json.end_array();
}

void add_processes(JsonText& json, const Snapshot& all, const std::set<pid_t>& people) {
  json.key("processes").begin_array();
  for (const inspect::Process& process : all.processes) {
    if (people.contains(process.pid)) {
      json.new_line().begin_object().key("pid").number(process.pid).key("uid").number(process.user);
      json.key("name").text(escaped(process.name)).key("command").text(escaped(process.command)).end_object();
    }
  }
  json.end_array();
}

}  // namespace

std::string snapshot_json(const Snapshot& all, std::span<const std::size_t> places, Waits waits) {
  const Descriptors descriptors = by_object(all);
  std::set<pid_t> people;
  JsonText json;
  json.begin_object().key("objects").begin_array();
  for (const std::size_t place : places) {
    add_object(json, all, place, descriptors);
    for (const Edge& edge : all.edges_of(place)) {
      people.insert(edge.pid);
    }
  }
  json.end_array();
  add_waits(json, all, places, waits, people);
  add_processes(json, all, people);
  json.key("unseen").begin_array();
  for (const std::string& sentence : all.unseen) {
    json.new_line().text(escaped(sentence));
  }
  return std::move(json.end_array().end_object()).take() + "\n";
}

}  // namespace tenon::cli
