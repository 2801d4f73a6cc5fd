/// Unix sockets: bound ones, the ends of connections and of pairs, and socket files that nobody is bound to any more.
/// unix(7)
///
/// A connection that was accepted bears the name of who listened. It is an object of its own, "socket:[4711]", and so
/// is one that was bound before it connected, which looks the same. The identity of a socket that is bound to a file is
/// the file's, of the others their own inode.
#include <tenon/inspect/kernel/scene.hpp>
#include <tenon/inspect/kernel/served_mounts.hpp>
#include <tenon/inspect/kernel/unix_diag.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <map>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unordered_map>

namespace tenon::inspect {

namespace {

struct StateName {
  SocketState state;
  std::string_view name;
};

constexpr std::array state_names = {
    StateName{SocketState::unconnected, "unconnected"},
    StateName{SocketState::connecting, "connecting"},
    StateName{SocketState::listening, "listening"},
    StateName{SocketState::connected, "connected"},
};

// What is known of the names of all sockets.
struct Names {
  std::map<FileId, const NamedFile*> files;                       // socket files that the walk found
  std::set<FileId> connected;                                     // those of connections
  std::map<std::pair<std::string, FileId>, std::size_t> bearers;  // how many sockets go by one name
  ServedMounts served = ServedMounts::take();                     // where no name is looked up
};

std::pair<std::string, FileId> name_of(const UnixSocket& socket) {
  return {socket.end.name, socket.file.value_or(FileId{})};
}

// Whether the name is its own, and not that of who listened where it was accepted. The kernel sets a datagram socket
// that it has been connected to as connected itself.
bool has_own_name(const UnixSocket& socket) {
  return !socket.end.name.empty() && (socket.end.type == SOCK_DGRAM || socket.end.state != SocketState::connected);
}

Names names_of(const std::vector<UnixSocket>& sockets, const Scene& scene) {
  Names names;
  for (const NamedFile& file : scene.files) {
    if (S_ISSOCK(file.status.stx_mode)) {
      names.files.emplace(file_id(file.status), &file);
    }
  }
  for (const UnixSocket& socket : sockets) {
    if (!socket.end.name.empty()) {
      ++names.bearers[name_of(socket)];
    }
    if (socket.file && !has_own_name(socket)) {
      names.connected.insert(*socket.file);
    }
  }
  return names;
}

// A relative path says nothing without the directory that it was relative to; then the walk may have found the file.
std::optional<NamedFile> file_of(const UnixSocket& socket, const Names& names) {
  if (!socket.file || !has_own_name(socket)) {
    return std::nullopt;
  }
  if (const auto found = names.files.find(*socket.file); found != names.files.end()) {
    return *found->second;
  }
  const bool looked = socket.end.name.starts_with('/') && !names.served.covers(socket.end.name);
  const auto status = looked ? status_of(AT_FDCWD, socket.end.name.c_str()) : std::optional<struct statx>();
  const bool same = status && file_id(*status) == *socket.file;
  return same ? std::optional(NamedFile{.path = socket.end.name, .status = *status}) : std::nullopt;
}

std::string state_text(const UnixSocket& socket, bool has_file) {
  const bool datagram = socket.end.type == SOCK_DGRAM;
  const bool connected = socket.end.state == SocketState::connected || socket.end.peer != 0;
  std::string text(socket_type_name(socket.end.type));
  text += socket.end.state == SocketState::listening ? ", listening"
          : datagram && !socket.end.name.empty()     ? ", bound"
          : connected                                ? ", connected"
          : socket.end.name.empty()                  ? ", unconnected"
                                                     : ", bound, not listening";
  return text + (has_own_name(socket) && socket.end.name.starts_with('/') && !has_file ? ", unlinked" : "");
}

void add_figures(Object& object, const UnixSocket& socket, const Names& names) {
  if (socket.end.state == SocketState::listening) {
    const auto bearers = names.bearers.find(name_of(socket));
    object.figures = {{.name = "connections", .value = bearers == names.bearers.end() ? 0 : bearers->second - 1},
                      {.name = "pending", .value = socket.end.receive_queue},
                      {.name = "max_pending", .value = socket.end.send_queue}};
  } else {
    object.figures = {{.name = "unread_bytes", .value = socket.end.receive_queue},
                      {.name = "unsent_bytes", .value = socket.end.send_queue}};
  }
}

Object object_of(const UnixSocket& socket, const Names& names) {
  const auto file = file_of(socket, names);
  const std::string nameless = "socket:[" + std::to_string(socket.end.inode) + "]";
  Object object = file ? file_object(Kind::unix_socket, file->path, file->status)
                       : Object{.kind = Kind::unix_socket,
                                .name = has_own_name(socket) ? socket.end.name : nameless,
                                .file = {.device = socket.end.device, .inode = socket.end.inode}};
  object.state = state_text(socket, file.has_value() || names.served.covers(socket.end.name));
  object.owner = object.owner ? object.owner : socket.end.user;
  object.socket = socket.end;
  add_figures(object, socket, names);
  return object;
}

void add_addresses(Snapshot& into, const std::unordered_map<ino_t, std::size_t>& places) {
  for (const auto& [inode, address] : printed_addresses()) {
    if (const auto found = places.find(inode); found != places.end()) {
      into.objects[found->second].socket->address = address;
    }
  }
}

void join_peers(Snapshot& into, const std::unordered_map<ino_t, std::size_t>& places) {
  for (const auto& [inode, place] : places) {
    SocketEnd& end = *into.objects[place].socket;
    if (const auto peer = places.find(end.peer); end.peer != 0 && peer != places.end()) {
      end.peer_object = peer->second;
    }
  }
}

}  // namespace

std::string_view name_of(SocketState state) noexcept {
  return std::ranges::find(state_names, state, &StateName::state)->name;
}

std::string_view socket_type_name(int type) noexcept {
  return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : "seqpacket";
}

void read_unix_sockets(const Scene& scene, Snapshot& into) {
  const auto sockets = unix_sockets();
  if (!sockets) {
    into.unseen.push_back("Unix sockets but for their files: " + sockets.error().message());
  }
  const std::vector<UnixSocket> none;
  const std::vector<UnixSocket>& all = sockets ? *sockets : none;
  const Names names = names_of(all, scene);
  std::set<FileId> bound;
  std::unordered_map<ino_t, std::size_t> places;
  for (const UnixSocket& socket : all) {
    const std::size_t place = add(into, object_of(socket, names));
    places.emplace(socket.end.inode, place);
    bound.insert(into.objects[place].file);
    const FileId own{.device = socket.end.device, .inode = socket.end.inode};
    add_holders(into, place, scene.sightings.of(Sighting::What::socket, own));
  }
  join_peers(into, places);
  if (scene.detail == Detail::opening) {
    add_addresses(into, places);
  }
  for (const auto& [id, file] : names.files) {
    if (!bound.contains(id)) {
      Object object = file_object(Kind::unix_socket, file->path, file->status);
      object.state = !sockets                       ? ""
                     : names.connected.contains(id) ? "connections alone, nobody listens"
                                                    : "nobody is bound";
      add(into, std::move(object));
    }
  }
}

}  // namespace tenon::inspect
