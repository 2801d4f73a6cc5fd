#include <tenon/sync/lock_identity.hpp>

#include <tenon/os/procfs.hpp>

#include <cstdio>
#include <string_view>
#include <unistd.h>

namespace tenon {

namespace {

// Each bit of the value decides on each bit of the result. splitmix64's finaliser.
constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

std::string address_text(std::uintptr_t address) {
  char text[24];
  const int length = std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return {text, static_cast<std::size_t>(length)};
}

std::string file_text(std::string_view path) {
  constexpr std::string_view deleted = " (deleted)";
  if (path.ends_with(deleted)) {
    path.remove_suffix(deleted.size());
  }
  return path == "/dev/zero" ? "memory shared with children" : std::string(path);
}

Result<LockIdentity> in_set(const LockRef& lock) {
  return procfs::ipc_namespace(::getpid()).transform([&](std::uint64_t name_space) {
    return LockIdentity{.kind = lock.kind,
                        .device = name_space,
                        .inode = lock.where,
                        .offset = lock.number,
                        .name = "semaphore " + std::to_string(lock.number) + " of set " + std::to_string(lock.where)};
  });
}

}  // namespace

const char* name_of(LockKind kind) noexcept {
  switch (kind) {
    case LockKind::mutex:
      return "mutex";
    case LockKind::rw_lock:
      return "rw lock";
    case LockKind::semaphore:
    case LockKind::posix_semaphore:
    case LockKind::sysv_semaphore:
      return "semaphore";
  }
  return "lock";
}

Result<LockIdentity> LockIdentity::of(const LockRef& lock, Token own) {
  if (lock.kind == LockKind::sysv_semaphore) {
    return in_set(lock);
  }
  return procfs::mapped_place(lock.where).transform([&](std::optional<procfs::MappedPlace> place) {
    if (!place) {
      return LockIdentity{.kind = lock.kind,
                          .device = 0,
                          .inode = own.value(),
                          .offset = lock.where,
                          .name = std::string(name_of(lock.kind)) + " at " + address_text(lock.where) + " of pid " +
                                  std::to_string(::getpid())};
    }
    return LockIdentity{.kind = lock.kind,
                        .device = place->file.device,
                        .inode = place->file.inode,
                        .offset = place->offset,
                        .name = std::string(name_of(lock.kind)) + " at byte " + std::to_string(place->offset) + " of " +
                                file_text(place->file.path)};
  });
}

std::uint64_t LockIdentity::key() const noexcept {
  std::uint64_t key = mixed(static_cast<std::uint64_t>(kind));
  for (const std::uint64_t part : {device, inode, offset}) {
    key = mixed(key + 0x9e3779b97f4a7c15 + part);
  }
  return key == 0 ? 1 : key;
}

}  // namespace tenon
