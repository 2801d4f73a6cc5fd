#include <cli/top/top_rows.hpp>

#include <cli/object_text.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

namespace tenon::cli {

namespace {

using inspect::Object;
using inspect::Snapshot;

// Tenon's own count what has gone through them.
constexpr std::array counters = {"published", "sent", "received", "written", "requests"};
constexpr std::array depths = {"messages", "lag", "waiting_requests", "unread_bytes", "pending"};

std::uint64_t distance(std::uint64_t one, std::uint64_t other) { return one > other ? one - other : other - one; }

// The largest of its figures of these names.
template <std::size_t Count>
std::optional<std::uint64_t> any_of(const Object& object, const std::array<const char*, Count>& names) {
  std::optional<std::uint64_t> most;
  for (const char* name : names) {
    if (const auto value = object.figure(name)) {
      most = std::max(most.value_or(0), *value);
    }
  }
  return most;
}

// One that was not there before has had all of its traffic since, as far as anybody knows.
Traffic traffic_of(const Object& object, const Object* before, double seconds) {
  if (before == nullptr || seconds <= 0) {
    return {};
  }
  const auto now_counted = is_pattern(object.kind) ? any_of(object, counters) : std::nullopt;
  if (now_counted) {
    const std::uint64_t then = any_of(*before, counters).value_or(0);
    const std::uint64_t gained = *now_counted > then ? *now_counted - then : 0;
    return {.rate = static_cast<double>(gained) / seconds, .is_least = false};
  }
  const bool used = object.used != before->used;
  const std::uint64_t changed = distance(any_of(object, depths).value_or(0), any_of(*before, depths).value_or(0));
  const std::uint64_t value = distance(object.figure("value").value_or(0), before->figure("value").value_or(0));
  return {.rate = static_cast<double>(std::max({changed, value, std::uint64_t{used ? 1U : 0U}})) / seconds};
}

// By object: a snapshot has them by process.
std::vector<std::uint64_t> waiters_of(const Snapshot& all) {
  std::vector<std::uint64_t> waiters(all.objects.size(), 0);
  for (const inspect::Wait& wait : all.waits) {
    for (const std::size_t object : wait.objects) {
      ++waiters[object];
    }
  }
  for (std::size_t at = 0; at < waiters.size(); ++at) {
    const Object& object = all.objects[at];
    waiters[at] = std::max({waiters[at], std::uint64_t{object.awaited.size()}, object.figure("waiting").value_or(0)});
  }
  return waiters;
}

bool fits(const std::string& filter, const std::string& one, const std::string& other) {
  return filter.empty() || one.find(filter) != std::string::npos || other.find(filter) != std::string::npos;
}

bool comes_before(const TopObject& one, const TopObject& other, TopOrder order) {
  switch (order) {
    case TopOrder::traffic:
      return std::tuple(other.traffic.rate, other.depth, one.target) <
             std::tuple(one.traffic.rate, one.depth, other.target);
    case TopOrder::depth:
      return std::tuple(other.depth, one.target) < std::tuple(one.depth, other.target);
    case TopOrder::waiters:
      return std::tuple(other.waiters, one.target) < std::tuple(one.waiters, other.target);
    default:
      return one.target < other.target;
  }
}

// What it waits for first, and that there is more.
std::string waits_text(const Snapshot& all, const inspect::Wait& wait) {
  std::string text = wait.call;
  if (!wait.objects.empty()) {
    text += ": " + target_text(all.objects[wait.objects.front()]);
    text += wait.objects.size() > 1 ? ", …" : "";
  }
  return text;
}

}  // namespace

ObjectKey key_of(const Object& object) {
  return {object.kind, object.name, object.id.value_or(-1), object.file, object.domain};
}

std::string_view name_of(TopOrder order) noexcept {
  constexpr std::array<std::string_view, 4> names = {"traffic", "depth", "waiters", "name"};
  return names.at(static_cast<std::size_t>(order));
}

namespace {

// One with its command; several by their ids alone, for which there is room.
std::string short_holders(const Snapshot& all, std::size_t object) {
  std::vector<pid_t> pids;
  for (const inspect::Edge& edge : all.edges_of(object)) {
    if (inspect::is_hold(edge.relation) && !edge.ended && std::ranges::find(pids, edge.pid) == pids.end()) {
      pids.push_back(edge.pid);
    }
  }
  std::string text = pids.size() == 1 ? process_text(all, pids.front()) : "";
  for (std::size_t i = 0; pids.size() > 1 && i < pids.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(pids[i]);
  }
  return text;
}

}  // namespace

std::vector<TopObject> top_objects(const Snapshot& now, const Snapshot& before, double seconds,
                                   const TopChoice& choice) {
  std::map<ObjectKey, const Object*> known;
  for (const Object& object : before.objects) {
    known.emplace(key_of(object), &object);
  }
  const std::vector<std::uint64_t> waiters = waiters_of(now);
  std::vector<TopObject> rows;
  for (std::size_t at = 0; at < now.objects.size(); ++at) {
    const Object& object = now.objects[at];
    TopObject row{.object = at,
                  .target = target_text(object),
                  .traffic = {},
                  .depth = any_of(object, depths).value_or(0),
                  .waiters = waiters[at],
                  .holders = short_holders(now, at)};
    if (fits(choice.filter, row.target, row.holders)) {
      const auto found = known.find(key_of(object));
      row.traffic = traffic_of(object, found == known.end() ? nullptr : found->second, seconds);
      rows.push_back(std::move(row));
    }
  }
  std::ranges::sort(rows, [&](const TopObject& a, const TopObject& b) { return comes_before(a, b, choice.order); });
  return rows;
}

std::vector<TopProcess> top_processes(const Snapshot& now, const TopChoice& choice) {
  std::vector<TopProcess> rows;
  for (const inspect::Process& process : now.processes) {
    rows.push_back({.pid = process.pid, .user = process.user, .command = process.command, .objects = 0, .waits = {}});
  }
  const auto row_of = [&](pid_t pid) {
    const auto found = std::ranges::lower_bound(rows, pid, {}, &TopProcess::pid);
    return found != rows.end() && found->pid == pid ? &*found : nullptr;
  };
  for (const inspect::Edge& edge : now.edges) {
    const bool counts = inspect::is_hold(edge.relation) && !edge.ended;
    TopProcess* const row = counts ? row_of(edge.pid) : nullptr;
    if (row != nullptr) {
      ++row->objects;
    }
  }
  for (const inspect::Wait& wait : now.waits) {
    const bool counts = choice.kinds.empty() || !wait.objects.empty();
    if (TopProcess* const row = row_of(wait.pid); counts && row != nullptr && row->waits.empty()) {
      row->waits = waits_text(now, wait);
    }
  }
  std::erase_if(rows, [&](const TopProcess& row) {
    const bool concerned = choice.kinds.empty() || row.objects > 0 || !row.waits.empty();
    return !concerned || !fits(choice.filter, row.command, row.waits);
  });
  std::ranges::sort(rows, [](const TopProcess& a, const TopProcess& b) {
    return std::tuple(b.waits.empty() ? 0 : 1, b.objects, a.pid) <
           std::tuple(a.waits.empty() ? 0 : 1, a.objects, b.pid);
  });
  return rows;
}

}  // namespace tenon::cli
