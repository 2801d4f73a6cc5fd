#include "named_kinds.hpp"

#include <tenon/ipc/fifo/fifo.hpp>
#include <tenon/ipc/file_lock/file_lock.hpp>
#include <tenon/ipc/posix_memory/posix_memory.hpp>
#include <tenon/ipc/posix_queue/posix_queue.hpp>
#include <tenon/ipc/posix_semaphore/named_semaphore.hpp>
#include <tenon/ipc/sysv_memory/sysv_memory.hpp>
#include <tenon/ipc/sysv_queue/sysv_queue.hpp>
#include <tenon/ipc/sysv_semaphore/sysv_semaphore.hpp>
#include <tenon/ipc/unix_datagram/unix_datagram.hpp>
#include <tenon/ipc/unix_seqpacket/unix_seqpacket_listener.hpp>
#include <tenon/ipc/unix_stream/unix_listener.hpp>

#include <kit/named_path.hpp>

#include <sys/stat.h>
#include <utility>

namespace conformance {

namespace {

using namespace tenon;

std::string path(const kit::UniqueDirectory& directory) { return directory / kit::unique_name(); }
std::string shared_name(const kit::UniqueDirectory&) { return "/" + kit::unique_name(); }
std::string key(const kit::UniqueDirectory&) { return kit::unique_key().text(); }

// What create() calls the name.
std::string_view as_text(const std::string& name) { return name; }
SysvKey as_key(const std::string& name) { return SysvKey::parse(name).or_throw(); }

// Where its permissions are read.
constexpr auto of_path = [](const auto&, const std::string& name) { return kit::mode_of(name); };
constexpr auto of_memory = [](const auto&, const std::string& name) { return kit::mode_of("/dev/shm" + name); };
constexpr auto of_semaphore = [](const auto&, const std::string& name) {
  return kit::mode_of("/dev/shm/sem." + name.substr(1));
};
constexpr auto of_descriptor = [](const auto& handle, const std::string&) {
  struct stat status{};
  return ::fstat(handle.fd().raw(), &status) == 0 ? status.st_mode & 07777 : ~mode_t{0};
};
constexpr auto of_status = [](const auto& handle, const std::string&) -> mode_t {
  const auto status = handle.status().or_throw();
  if constexpr (requires { status.mode; }) {
    return status.mode;
  } else {
    return status.permissions.mode();
  }
};

// `more` stands between the name and the permissions.
template <class Handle, class Convert, class ModeOf, class... More>
NamedKind row(std::string kind, std::string (*name)(const kit::UniqueDirectory&), Convert convert, ModeOf mode_of,
              std::vector<std::uint32_t> modes, More... more) {
  const auto keep = [=](const std::string& at) {
    return [=](Handle handle) {
      const mode_t mode = mode_of(handle, at);
      return Made{.handle = std::make_shared<Handle>(std::move(handle)), .mode = mode};
    };
  };
  NamedKind row{.kind = std::move(kind),
                .name = name,
                .create =
                    [=](const std::string& at, Permissions permissions) {
                      return Handle::create(convert(at), more..., permissions).transform(keep(at));
                    },
                .open_or_create = {},
                .unlink = [=](const std::string& at) { return Handle::unlink(convert(at)); },
                .modes = std::move(modes),
                .takes_descriptor = std::is_same_v<decltype(convert(std::string())), std::string_view>};
  if constexpr (requires { Handle::open_or_create(convert(std::string()), more...); }) {
    row.open_or_create = [=](const std::string& at) {
      return Handle::open_or_create(convert(at), more...).transform(keep(at));
    };
  }
  return row;
}

}  // namespace

std::vector<NamedKind> all_named_kinds() {
  constexpr std::size_t page = 4096;
  const PosixQueue::Limits small{.messages = 1, .message_bytes = 64};
  const std::vector<std::uint16_t> one = {1};
  return {
      row<Fifo>("Fifo", path, as_text, of_path, {0600, 0640, 0666, 0200, 0777}),
      row<FileLock>("FileLock", path, as_text, of_path, {0600, 0640, 0666}),
      row<PosixMemory>("PosixMemory", shared_name, as_text, of_memory, {0600, 0640, 0666, 0400, 0}, page),
      row<PosixQueue>("PosixQueue", shared_name, as_text, of_descriptor, {0600, 0640, 0666, 0200, 0777}, small),
      row<NamedSemaphore>("NamedSemaphore", shared_name, as_text, of_semaphore, {0600, 0640, 0666, 0777, 0}, 0U),
      row<SysvMemory>("SysvMemory", key, as_key, of_status, {0600, 0640, 0666, 0400, 0777}, page),
      row<SysvQueue>("SysvQueue", key, as_key, of_status, {0600, 0640, 0666, 0777}),
      row<SysvSemaphore>("SysvSemaphore", key, as_key, of_status, {0600, 0640, 0666, 0400}, one),
      row<UnixListener>("UnixListener", path, as_text, of_path, {0600, 0640, 0666, 0200, 0777}),
      row<UnixDatagram>("UnixDatagram", path, as_text, of_path, {0600, 0640, 0666, 0200, 0777}),
      row<UnixSeqpacketListener>("UnixSeqpacketListener", path, as_text, of_path, {0600, 0640, 0666, 0200, 0777}),
  };
}

}  // namespace conformance
