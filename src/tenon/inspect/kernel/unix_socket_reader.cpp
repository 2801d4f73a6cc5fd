/// Unix sockets that have a name: bound ones, and socket files that nobody is bound to any more. unix(7)
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/kernel/unix_diag.hpp>

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <set>
#include <string>
#include <sys/socket.h>

namespace tenon::inspect {

namespace {

// The sockets that go by one name: who listens at it, and the connections that came of that.
struct Place {
  std::vector<const UnixSocket*> sockets;
  std::optional<NamedFile> file;  // that it is bound to, where that can be found
  bool unlinked = false;
};

using Places = std::map<std::pair<std::string, FileId>, Place>;
using Holders = std::map<ino_t, std::vector<const Sighting*>>;

const char* type_name(int type) {
  return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : "seqpacket";
}

// Every socket of the machine is a file of one file system that belongs to the kernel: the inode tells them apart.
Holders holders_of_sockets(const Sightings& sightings) {
  Holders holders;
  for (const Sighting& one : sightings.all()) {
    if (S_ISSOCK(one.mode) && one.target.starts_with("socket:[")) {
      holders[one.file.inode].push_back(&one);
    }
  }
  return holders;
}

// A relative path says nothing without the directory that it was relative to; then the walk may have found the file.
std::optional<NamedFile> file_at(const Scene& scene, const UnixSocket& socket) {
  const auto found = std::ranges::find_if(
      scene.files, [&](const NamedFile& file) { return socket.file && file_id(file.status) == *socket.file; });
  if (found != scene.files.end()) {
    return *found;
  }
  const bool absolute = socket.file && socket.name.starts_with('/');
  const auto status = absolute ? status_of(AT_FDCWD, socket.name.c_str()) : std::nullopt;
  const bool same = status && file_id(*status) == *socket.file;
  return same ? std::optional(NamedFile{.path = socket.name, .status = *status}) : std::nullopt;
}

Places places_of(const std::vector<UnixSocket>& sockets, const Scene& scene) {
  Places places;
  for (const UnixSocket& socket : sockets) {
    if (!socket.name.empty()) {
      Place& place = places[{socket.name, socket.file.value_or(FileId{})}];
      place.sockets.push_back(&socket);
      place.file = file_at(scene, socket);
      place.unlinked = !place.file && socket.name.starts_with('/');
    }
  }
  return places;
}

Object object_of(const std::string& name, const Place& place) {
  Object object = place.file ? file_object(Kind::unix_socket, place.file->path, place.file->status)
                             : Object{.kind = Kind::unix_socket, .name = name};
  const auto listener = std::ranges::find_if(place.sockets, [](const UnixSocket* one) { return one->listening; });
  const bool listens = listener != place.sockets.end();
  const UnixSocket& first = listens ? **listener : *place.sockets.front();
  const bool datagram = first.type == SOCK_DGRAM;
  const char* doing = listens ? "listening" : datagram ? "bound" : "connections alone, nobody listens";
  object.state = std::string(type_name(first.type)) + ", " + doing + (place.unlinked ? ", unlinked" : "");
  object.owner = object.owner ? object.owner : first.user;
  if (datagram) {
    object.figures = {{.name = "unread_bytes", .value = first.pending}};
  } else {
    object.figures = {{.name = "connections", .value = place.sockets.size() - (listens ? 1 : 0)},
                      {.name = "pending", .value = listens ? first.pending : 0}};
  }
  return object;
}

void add_place(const std::string& name, const Place& place, const Holders& holders, Snapshot& into) {
  const std::size_t at = into.objects.size();
  into.objects.push_back(object_of(name, place));
  std::set<pid_t> told;
  for (const UnixSocket* socket : place.sockets) {
    const auto found = holders.find(socket->inode);
    for (const Sighting* one : found == holders.end() ? std::vector<const Sighting*>() : found->second) {
      if (told.insert(one->pid).second) {
        into.edges.push_back(
            {.object = at, .pid = one->pid, .relation = Relation::holds, .descriptor = one->descriptor});
      }
    }
  }
}

}  // namespace

void read_unix_sockets(const Scene& scene, Snapshot& into) {
  const auto sockets = unix_sockets();
  if (!sockets) {
    into.unseen.push_back("who is bound to Unix sockets, and abstract ones: " + sockets.error().message());
  }
  const Places places = sockets ? places_of(*sockets, scene) : Places();
  const Holders holders = holders_of_sockets(scene.sightings);
  std::set<FileId> told;
  for (const auto& [key, place] : places) {
    told.insert(key.second);
    add_place(key.first, place, holders, into);
  }
  for (const NamedFile& file : scene.files) {
    if (S_ISSOCK(file.status.stx_mode) && !told.contains(file_id(file.status))) {
      Object object = file_object(Kind::unix_socket, file.path, file.status);
      object.state = sockets ? "nobody is bound" : "";
      into.objects.push_back(std::move(object));
    }
  }
}

}  // namespace tenon::inspect
