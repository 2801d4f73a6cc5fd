#include <tenon/inspect/snapshot.hpp>

#include <tenon/inspect/kernel/process_files.hpp>
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/kernel/shm_directory.hpp>
#include <tenon/inspect/patterns/domain_files.hpp>
#include <tenon/inspect/patterns/domain_scene.hpp>
#include <tenon/inspect/waits/sleepers.hpp>
#include <tenon/inspect/waits/waits.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <future>
#include <iterator>
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
    Reader{Kind::posix_memory, read_posix_memory},
    Reader{Kind::sysv_memory, read_sysv_memory},
    Reader{Kind::memfd, read_memfds},
    Reader{Kind::posix_semaphore, read_posix_semaphores},
    Reader{Kind::pipe, read_pipes},
    Reader{Kind::fifo, read_fifos},
    Reader{Kind::unix_socket, read_unix_sockets},
    Reader{Kind::eventfd, read_eventfds},
    Reader{Kind::file_lock, read_file_locks},
};

struct TableReader {
  Kind kind;
  void (*read)(Snapshot&);
};

constexpr std::array table_readers = {
    TableReader{Kind::sysv_queue, read_sysv_queues},
    TableReader{Kind::sysv_semaphore, read_sysv_semaphores},
};

struct DomainReader {
  Kind kind;
  void (*read)(DomainScene&, Snapshot&);
};

constexpr std::array domain_readers = {
    DomainReader{Kind::topic, read_topics},     DomainReader{Kind::queue, read_queues},
    DomainReader{Kind::service, read_services}, DomainReader{Kind::stream, read_streams},
    DomainReader{Kind::board, read_boards},
};

struct RelationName {
  Relation relation;
  std::string_view name;
};

constexpr std::array relation_names = {
    RelationName{Relation::holds, "holds"},
    RelationName{Relation::maps, "maps"},
    RelationName{Relation::sends_to, "sends_to"},
    RelationName{Relation::receives_from, "receives_from"},
    RelationName{Relation::owns, "owns"},
    RelationName{Relation::created, "created"},
    RelationName{Relation::last_sent, "last_sent"},
    RelationName{Relation::last_received, "last_received"},
    RelationName{Relation::last_attached, "last_attached"},
    RelationName{Relation::last_operated, "last_operated"},
};

struct NeedName {
  Need need;
  std::string_view name;
};

constexpr std::array need_names = {
    NeedName{Need::message, "message"}, NeedName{Need::room, "room"},     NeedName{Need::lock, "lock"},
    NeedName{Need::peer, "peer"},       NeedName{Need::signal, "signal"},
};

bool is_wanted(const SnapshotOptions& options, Kind kind) {
  return options.kinds.empty() || std::ranges::find(options.kinds, kind) != options.kinds.end();
}

// A domain that is not there has nothing in it: nobody has come yet.
void read_domain(const std::string& path, const SnapshotOptions& options, const Sightings& sightings, Snapshot& all) {
  const auto directory = open_domain_directory(path);
  if (!directory) {
    if (!directory.failed_with(Errc::not_found)) {
      all.unseen.push_back("domain " + path + ": " + directory.error().message());
    }
    return;
  }
  DomainScene scene(path, directory->view(), sightings);
  for (const DomainReader& reader : domain_readers) {
    if (is_wanted(options, reader.kind)) {
      reader.read(scene, all);
    }
  }
}

void read_domains(const SnapshotOptions& options, const Sightings& sightings, Snapshot& all) {
  if (std::ranges::any_of(domain_readers, [&](const DomainReader& one) { return is_wanted(options, one.kind); })) {
    for (const std::string& path : options.domains ? *options.domains : known_domains()) {
      read_domain(path, options, sightings, all);
    }
  }
}

// All that tells of an object by its place.
void renumber(Snapshot& all, const std::vector<std::size_t>& now_at) {
  for (Object& object : all.objects) {
    if (object.socket && object.socket->peer_object) {
      object.socket->peer_object = now_at[*object.socket->peer_object];
    }
  }
  std::ranges::for_each(all.edges, [&](Edge& edge) { edge.object = now_at[edge.object]; });
  std::ranges::for_each(all.descriptors, [&](Descriptor& one) { one.object = now_at[one.object]; });
  for (Wait& wait : all.waits) {
    std::ranges::for_each(wait.objects, [&](std::size_t& object) { object = now_at[object]; });
  }
}

// For so many objects room is made before it is known how many there are.
constexpr std::size_t most_at_once = 16384;

// The one at places[i] comes to i. Each moves once, round its circle: a second list of them would be megabytes.
void put_in_place(std::vector<Object>& objects, std::vector<std::size_t> places) {
  for (std::size_t start = 0; start < places.size(); ++start) {
    if (places[start] == start) {
      continue;
    }
    Object first = std::move(objects[start]);
    std::size_t to = start;
    for (std::size_t from = places[to]; from != start; from = places[to]) {
      objects[to] = std::move(objects[from]);
      places[to] = to;
      to = from;
    }
    objects[to] = std::move(first);
    places[to] = to;
  }
}

// Objects by kind and name, and all that tells of one by its place with them.
void put_in_order(Snapshot& all) {
  std::vector<std::size_t> places(all.objects.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, {}, [&](std::size_t place) {
    const Object& object = all.objects[place];
    return std::tuple<Kind, std::string_view, int, std::size_t>(object.kind, object.name, object.id.value_or(0), place);
  });
  std::vector<std::size_t> now_at(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    now_at[places[i]] = i;
  }
  put_in_place(all.objects, std::move(places));
  renumber(all, now_at);
  std::ranges::sort(all.edges, {}, [](const Edge& edge) { return std::tie(edge.object, edge.relation, edge.pid); });
  std::ranges::sort(all.descriptors, {}, [](const Descriptor& one) { return std::tie(one.pid, one.number); });
  std::ranges::sort(all.waits, {}, [](const Wait& wait) { return std::tie(wait.pid, wait.thread); });
}

// By the kernel's own word: /proc may hide the processes of other users. proc(5), hidepid
bool is_alive(pid_t pid) noexcept { return ::kill(pid, 0) == 0 || errno != ESRCH; }

// Who is looked at may wait for more than was asked about: of what kind that is stays out of the snapshot, and that
// somebody else may end the wait stays in.
void drop_unwanted(const SnapshotOptions& options, Snapshot& all) {
  const auto is_unwanted = [&](std::size_t at) { return !is_wanted(options, all.objects[at].kind); };
  for (Wait& wait : all.waits) {
    wait.elsewhere = std::erase_if(wait.objects, is_unwanted) > 0 || wait.elsewhere;
  }
  std::erase_if(all.edges, [&](const Edge& edge) { return is_unwanted(edge.object); });
  std::erase_if(all.descriptors, [&](const Descriptor& one) { return is_unwanted(one.object); });
  for (Object& object : all.objects) {
    if (object.socket && object.socket->peer_object && is_unwanted(*object.socket->peer_object)) {
      object.socket->peer_object.reset();
    }
  }
  std::vector<std::size_t> now_at(all.objects.size());
  std::size_t kept = 0;
  for (std::size_t at = 0; at < now_at.size(); ++at) {
    now_at[at] = kept;
    kept += is_unwanted(at) ? 0 : 1;
  }
  std::erase_if(all.objects, [&](const Object& one) { return !is_wanted(options, one.kind); });
  renumber(all, now_at);
}

// The living processes, with their commands. One that has ended meanwhile stays an edge, marked, and waits no more.
void add_processes(const Sightings& sightings, Snapshot& all) {
  std::vector<pid_t> pids;
  for (const Edge& edge : all.edges) {
    if (!edge.ended) {
      pids.push_back(edge.pid);
    }
  }
  for (const Wait& wait : all.waits) {
    pids.push_back(wait.pid);
    pids.insert(pids.end(), wait.processes.begin(), wait.processes.end());
  }
  std::ranges::sort(pids);
  const auto twice = std::ranges::unique(pids);
  pids.erase(twice.begin(), twice.end());
  for (const pid_t pid : pids) {
    const Process* const seen = sightings.process(pid);
    if (auto process = seen != nullptr ? std::optional(*seen) : process_of(pid)) {
      all.processes.push_back(std::move(*process));
    } else if (is_alive(pid)) {
      all.hidden.push_back(pid);
    }
  }
  for (Edge& edge : all.edges) {
    const bool shown = all.process(edge.pid) != nullptr || std::ranges::binary_search(all.hidden, edge.pid);
    edge.ended = edge.ended || !shown;
  }
  tell_who_came_later(all);
  std::erase_if(all.waits, [&](const Wait& wait) { return all.process(wait.pid) == nullptr; });
}

}  // namespace

std::string_view name_of(Relation relation) noexcept {
  return std::ranges::find(relation_names, relation, &RelationName::relation)->name;
}

std::string_view name_of(Need need) noexcept { return std::ranges::find(need_names, need, &NeedName::need)->name; }

std::optional<std::uint64_t> Object::figure(std::string_view wanted) const noexcept {
  const auto found =
      std::ranges::find_if(figures, [&](const Figure& one) { return std::string_view(one.name) == wanted; });
  return found == figures.end() ? std::nullopt : std::optional(found->value);
}

const Process* Snapshot::process(pid_t pid) const noexcept {
  const auto found = std::ranges::lower_bound(processes, pid, {}, &Process::pid);
  return found != processes.end() && found->pid == pid ? &*found : nullptr;
}

bool Snapshot::is_stopped(pid_t pid) const noexcept {
  const Process* const found = process(pid);
  return found != nullptr && found->is_stopped();
}

std::span<const Edge> Snapshot::edges_of(std::size_t object) const noexcept {
  const auto found = std::ranges::equal_range(edges, object, {}, &Edge::object);
  return {found.begin(), found.end()};
}

std::span<const Descriptor> Snapshot::descriptors_of(pid_t pid) const noexcept {
  const auto found = std::ranges::equal_range(descriptors, pid, {}, &Descriptor::pid);
  return {found.begin(), found.end()};
}

const Descriptor* Snapshot::descriptor(pid_t pid, int number) const noexcept {
  const auto own = descriptors_of(pid);
  const auto found = std::ranges::lower_bound(own, number, {}, &Descriptor::number);
  return found != own.end() && found->number == number ? &*found : nullptr;
}

bool Snapshot::is_awaited(std::size_t object) const noexcept {
  const Object& one = objects[object];
  return !one.awaited.empty() || std::ranges::any_of(waits, [&](const Wait& wait) {
    return std::ranges::find(wait.objects, object) != wait.objects.end();
  });
}

namespace {

// How they stood at the first look. Stopped is who still is: one under a tracer of calls stops for moments.
void add_standings(const Sleepers& sleepers, Snapshot& all) {
  for (Process& process : all.processes) {
    if (const auto found = sleepers.processes.find(process.pid); found != sleepers.processes.end()) {
      process.state = found->second.state;
      process.state = process.is_stopped() ? standing_of(process.pid).state : process.state;
      process.threads = found->second.threads;
      process.handled = handled_signals(process.pid);
      process.tracer = process.state == 't' ? tracer_of(process.pid) : 0;
    }
  }
}

// What can be looked at without knowing what processes have open.
void look_around(const SnapshotOptions& options, Scene& scene, Snapshot& all) {
  if (is_wanted(options, Kind::fifo) || is_wanted(options, Kind::unix_socket)) {
    scene.files = find_named_files(options, all.unseen);
  }
  if (is_wanted(options, Kind::posix_memory) || is_wanted(options, Kind::posix_semaphore)) {
    scene.shm = files_of_shm(all.unseen);
  }
  for (const TableReader& reader : table_readers) {
    if (is_wanted(options, reader.kind)) {
      reader.read(all);
    }
  }
}

// By another thread, or by this one where no other can be had.
constexpr auto at_once_or_later = std::launch::async | std::launch::deferred;

Scene add_objects(const SnapshotOptions& options, Snapshot& all) {
  Scene scene{.sightings = {},
              .files = {},
              .shm = {},
              .locks = {},
              .detail = options.details ? Detail::opening : Detail::access};
  // The kernel lets all that lock come to rest for each page of that table, which takes milliseconds and no processor.
  const bool wanted = is_wanted(options, Kind::file_lock);
  auto locks = std::async(wanted ? at_once_or_later : std::launch::deferred, [=]() -> Result<std::string> {
    return wanted ? procfs::text("/proc/locks") : std::string();
  });
  scene.sightings = Sightings::take(scene.detail, all.unseen, [&] { look_around(options, scene, all); });
  scene.locks = locks.get();
  all.objects.reserve(all.objects.size() + std::min<std::size_t>(scene.sightings.all().size(), most_at_once) +
                      scene.shm.size());
  for (const Reader& reader : readers) {
    if (is_wanted(options, reader.kind)) {
      reader.read(scene, all);
    }
  }
  read_domains(options, scene.sightings, all);
  put_in_order(all);
  return scene;
}

}  // namespace

Snapshot snapshot(const SnapshotOptions& options) {
  Snapshot all;
  const Sleepers sleepers = options.waits ? Sleepers::take(all.unseen) : Sleepers();
  const Scene scene = add_objects(options, all);
  if (options.waits) {
    add_waits(sleepers, options.domains ? *options.domains : known_domains(), options.kinds, all);
    all.closed_processes = std::max(all.closed_processes, scene.sightings.refused());
    drop_unwanted(options, all);
    put_in_order(all);
  }
  add_processes(scene.sightings, all);
  add_standings(sleepers, all);
  return all;
}

}  // namespace tenon::inspect
