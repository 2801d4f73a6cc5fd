#include <tenon/inspect/snapshot.hpp>

#include <tenon/inspect/scene.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace tenon::inspect {

namespace {

struct Reader {
  Kind kind;
  void (*read)(const Scene&, Snapshot&);
};

constexpr std::array readers = {
    Reader{Kind::posix_queue, read_posix_queues},
    Reader{Kind::sysv_queue, read_sysv_queues},
    Reader{Kind::posix_memory, read_posix_memory},
    Reader{Kind::sysv_memory, read_sysv_memory},
    Reader{Kind::memfd, read_memfds},
    Reader{Kind::posix_semaphore, read_posix_semaphores},
    Reader{Kind::sysv_semaphore, read_sysv_semaphores},
    Reader{Kind::fifo, read_fifos},
    Reader{Kind::unix_socket, read_unix_sockets},
};

struct RelationName {
  Relation relation;
  std::string_view name;
};

constexpr std::array relation_names = {
    RelationName{Relation::holds, "holds"},
    RelationName{Relation::maps, "maps"},
    RelationName{Relation::created, "created"},
    RelationName{Relation::last_sent, "last_sent"},
    RelationName{Relation::last_received, "last_received"},
    RelationName{Relation::last_attached, "last_attached"},
    RelationName{Relation::last_operated, "last_operated"},
};

bool is_wanted(const SnapshotOptions& options, Kind kind) {
  return options.kinds.empty() || std::ranges::find(options.kinds, kind) != options.kinds.end();
}

// Objects by kind and name, and the edges with them.
void put_in_order(Snapshot& all) {
  std::vector<std::size_t> places(all.objects.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, {}, [&](std::size_t place) {
    const Object& object = all.objects[place];
    return std::tuple<Kind, std::string_view, int, std::size_t>(object.kind, object.name, object.id.value_or(0), place);
  });
  std::vector<Object> sorted;
  std::vector<std::size_t> now_at(places.size());
  for (const std::size_t place : places) {
    now_at[place] = sorted.size();
    sorted.push_back(std::move(all.objects[place]));
  }
  all.objects = std::move(sorted);
  for (Edge& edge : all.edges) {
    edge.object = now_at[edge.object];
  }
  std::ranges::sort(all.edges, {}, [](const Edge& edge) { return std::tie(edge.object, edge.relation, edge.pid); });
}

// The living processes of the edges, with their commands. One that has ended meanwhile stays an edge, marked.
void add_processes(Snapshot& all) {
  for (Edge& edge : all.edges) {
    if (edge.ended || all.process(edge.pid) != nullptr) {
      continue;
    }
    const auto user = procfs::user(edge.pid);
    auto command = procfs::command(edge.pid);
    if (!user || !command) {
      edge.ended = true;
      continue;
    }
    const auto after = std::ranges::upper_bound(all.processes, edge.pid, {}, &Process::pid);
    all.processes.insert(after, {.pid = edge.pid, .user = *user, .command = std::move(*command)});
  }
}

}  // namespace

std::string_view name_of(Relation relation) noexcept {
  return std::ranges::find(relation_names, relation, &RelationName::relation)->name;
}

std::optional<std::uint64_t> Object::figure(std::string_view wanted) const noexcept {
  const auto found =
      std::ranges::find_if(figures, [&](const Figure& one) { return std::string_view(one.name) == wanted; });
  return found == figures.end() ? std::nullopt : std::optional(found->value);
}

const Process* Snapshot::process(pid_t pid) const noexcept {
  const auto found = std::ranges::lower_bound(processes, pid, {}, &Process::pid);
  return found != processes.end() && found->pid == pid ? &*found : nullptr;
}

std::vector<Edge> Snapshot::edges_of(std::size_t object) const {
  const auto found = std::ranges::equal_range(edges, object, {}, &Edge::object);
  return {found.begin(), found.end()};
}

Snapshot snapshot(const SnapshotOptions& options) {
  Snapshot all;
  Scene scene{.sightings = Sightings::take(all.unseen), .files = {}};
  if (is_wanted(options, Kind::fifo) || is_wanted(options, Kind::unix_socket)) {
    scene.files = find_named_files(options, all.unseen);
  }
  for (const Reader& reader : readers) {
    if (is_wanted(options, reader.kind)) {
      reader.read(scene, all);
    }
  }
  put_in_order(all);
  add_processes(all);
  return all;
}

}  // namespace tenon::inspect
