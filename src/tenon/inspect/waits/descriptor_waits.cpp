/// Waits in calls that are given a descriptor, a path or an address. read(2), fifo(7), connect(2)
#include <tenon/inspect/waits/wait_scene.hpp>

#include <tenon/inspect/kernel/known_file.hpp>
#include <tenon/inspect/kernel/scene.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace tenon::inspect {

namespace {

// "@name" of what stands in an address, or its path. Nothing if it is no Unix socket's.
std::optional<std::string> name_in(const sockaddr_un& address, std::size_t length) {
  constexpr std::size_t head = offsetof(sockaddr_un, sun_path);
  if (address.sun_family != AF_UNIX || length <= head) {
    return std::nullopt;
  }
  const std::string_view bytes(address.sun_path, std::min(length, sizeof address) - head);
  return bytes.front() == '\0' ? "@" + std::string(bytes.substr(1)) : std::string(bytes.substr(0, bytes.find('\0')));
}

// The socket that is bound there: who listens, before those that came of it.
std::optional<std::size_t> bound_at(WaitScene& scene, const Sleeper& sleeper, const std::string& name) {
  const auto& objects = scene.all().objects;
  const auto status = name.starts_with('@') ? std::nullopt : known_status(sleeper.pid, name, std::nullopt);
  const auto fits = [&](const Object& one) {
    return one.kind == Kind::unix_socket && (status ? one.file == file_id(*status) : one.name == name);
  };
  const auto listens = [&](const Object& one) {
    return fits(one) && one.socket && one.socket->state == SocketState::listening;
  };
  auto found = std::ranges::find_if(objects, listens);
  found = found == objects.end() ? std::ranges::find_if(objects, fits) : found;
  return found == objects.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - objects.begin()));
}

}  // namespace

// What is no object here is a terminal, a network, a file: who is behind that cannot be told.
bool read_descriptor_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const auto number = static_cast<int>(sleeper.call.arguments[0]);
  if (wait.call == "sendto" && sleeper.call.arguments[4] != 0) {
    return read_address_wait(scene, sleeper, wait);
  }
  if (const Descriptor* open = scene.all().descriptor(sleeper.pid, number)) {
    add_object(wait, open->object);
  } else {
    wait.elsewhere = true;
  }
  return true;
}

bool read_path_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const bool at = wait.call.starts_with("openat");
  const auto& arguments = sleeper.call.arguments;
  const AddressSpace* memory = scene.memory(sleeper.pid);
  const auto path = memory == nullptr ? std::nullopt : memory->text(arguments[at ? 1 : 0]);
  const auto directory = static_cast<int>(arguments[0]);
  const auto how = wait.call == "openat2" && memory != nullptr ? memory->value<std::uint64_t>(arguments[2]).value_or(0)
                                                               : arguments[at ? 2 : 1];
  if (!path) {
    wait.unseen = "which file it opens";
    return true;
  }
  const auto status =
      known_status(sleeper.pid, *path, at && directory != AT_FDCWD ? std::optional(directory) : std::nullopt);
  if (!status || !S_ISFIFO(status->stx_mode)) {
    wait.elsewhere = true;
    return true;
  }
  const auto found = scene.find(Kind::fifo, file_id(*status));
  if (!found) {
    scene.all().objects.push_back(file_object(Kind::fifo, *path, *status));
  }
  add_object(wait, found.value_or(scene.all().objects.size() - 1));
  wait.sends = wait.call == "creat" || (how & O_ACCMODE) == O_WRONLY;
  return true;
}

// connect(2) and sendto(2): where nothing of that name is seen, it is a network's, or of another namespace.
bool read_address_wait(WaitScene& scene, const Sleeper& sleeper, Wait& wait) {
  const bool connects = wait.call == "connect";
  const AddressSpace* memory = scene.memory(sleeper.pid);
  const std::uint64_t length = sleeper.call.arguments[connects ? 2 : 5];
  sockaddr_un address{};
  const MutableBytes into = mutable_bytes_of_value(address).first(std::min<std::size_t>(length, sizeof address));
  if (memory == nullptr || !memory->read(sleeper.call.arguments[connects ? 1 : 4], into)) {
    wait.unseen = "to which address";
    return true;
  }
  const auto name = name_in(address, into.size());
  const auto object = name ? bound_at(scene, sleeper, *name) : std::nullopt;
  if (object) {
    add_object(wait, *object);
  }
  wait.elsewhere = !object;
  wait.sends = true;
  return true;
}

}  // namespace tenon::inspect
