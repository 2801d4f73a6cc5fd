#include <tenon/ipc/sysv_memory/sysv_memory.hpp>

#include <tenon/base/deadline.hpp>
#include <tenon/os/clock.hpp>
#include <tenon/os/create_or_open.hpp>

#include <cerrno>
#include <optional>
#include <string>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

namespace tenon {

namespace {

// How long a segment may take to be initialised before those who wait for it are told.
constexpr auto half_made_patience = std::chrono::milliseconds(100);
constexpr auto half_made_recheck = std::chrono::milliseconds(1);

// A mode with this execute bit and no other marks a segment that is not initialised. 0777, which programs do ask for,
// does not look so.
constexpr std::uint32_t half_made_bit = 0001;
bool is_half_made(std::uint32_t mode) { return (mode & 0111) == half_made_bit; }

// A segment as people know it: ipcs(1) shows both.
std::string text_of_id(int id) { return "#" + std::to_string(id); }

// The kernel's own figure of a limit, in whose namespace we are.
shminfo limits() {
  shminfo limits{};
  ::shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&limits));
  return limits;
}

shm_info usage() {
  shm_info usage{};
  ::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&usage));
  return usage;
}

// Told of any segment, also of those that one may not read: IPC_STAT would not say to whom they belong.
std::optional<shmid_ds> status_of_any(int id) {
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) != -1) {
    return status;
  }
  shm_info unused{};
  const int highest = ::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&unused));
  for (int index = 0; index <= highest; ++index) {
    if (::shmctl(index, SHM_STAT_ANY, &status) == id) {
      return status;
    }
  }
  return std::nullopt;
}

// The kernel says EINVAL of a segment that is gone and EIDRM of one whose identifier is used anew.
Error failure(const char* call, int os_error, const std::string& object) {
  if (os_error == EINVAL || os_error == EIDRM) {
    return Error(Errc::not_found, call, os_error).on(object).because("it has been removed");
  }
  return os_failure(call, os_error).on(object);
}

Result<void> check_owner(const char* call, const shmid_ds& status, const std::string& object, uid_t owner) {
  const auto refused = [&](const char* how, uid_t whose) {
    return fail(Error(Errc::permission_denied, call)
                    .on(object)
                    .because(how + std::to_string(whose) + ", not to uid " + std::to_string(owner)));
  };
  if (status.shm_perm.uid != owner) {
    return refused("it belongs to uid ", status.shm_perm.uid);
  }
  // The creator keeps all rights when the segment is given away, so a gift is not to be trusted either.
  if (status.shm_perm.cuid != owner) {
    return refused("it was given away by and still belongs to its creator, uid ", status.shm_perm.cuid);
  }
  return {};
}

Error create_failure(int os_error, const std::string& key, std::size_t size, Pages pages) {
  if (pages == Pages::huge && os_error != EEXIST && os_error != EINVAL) {
    return huge_page_failure("shmget", os_error, size).on(key);
  }
  const shminfo most = limits();
  if (os_error == EINVAL && size > most.shmmax) {
    return Error(Errc::limit_reached, "shmget", os_error)
        .on(key)
        .with({.name = "SHMMAX (kernel.shmmax)",
               .value = most.shmmax,
               .wanted = size,
               .remedy = "raise it with: sysctl -w kernel.shmmax=N"});
  }
  if (os_error == ENOSPC && static_cast<unsigned long>(usage().used_ids) >= most.shmmni) {
    return Error(Errc::limit_reached, "shmget", os_error)
        .on(key)
        .with({.name = "SHMMNI (kernel.shmmni)",
               .value = most.shmmni,
               .wanted = most.shmmni + 1,
               .remedy = "remove segments that nobody needs (ipcs -m), or raise it with: sysctl -w kernel.shmmni=N"});
  }
  if (os_error == ENOSPC) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return Error(Errc::limit_reached, "shmget", os_error)
        .on(key)
        .with({.name = "SHMALL (kernel.shmall), in pages,",
               .value = most.shmall,
               .wanted = usage().shm_tot + (size + page - 1) / page,
               .remedy = "remove segments that nobody needs (ipcs -m), or raise it with: sysctl -w kernel.shmall=N"});
  }
  return os_failure("shmget", os_error).on(key);
}

Result<void> check_new(const std::string& key, std::size_t size, Permissions permissions, Pages pages) {
  const auto refused = [&](const char* why) {
    return fail(Error(Errc::invalid_argument, "shmget").on(key).because(why));
  };
  if (size == 0) {
    return refused("memory has at least one byte");
  }
  if (permissions.mode() == 0) {
    return refused("mode 0000 lets nobody in");
  }
  if (is_half_made(permissions.mode())) {
    return refused("others' execute bit alone marks a segment that is not initialised");
  }
  return pages == Pages::huge ? check_huge_size("shmget", size) : Result<void>();
}

Result<void> set_mode(int id, Permissions permissions) {
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) == -1) {
    return fail(failure("shmctl", errno, text_of_id(id)));
  }
  status.shm_perm.mode = static_cast<decltype(status.shm_perm.mode)>(permissions.mode());
  if (::shmctl(id, IPC_SET, &status) == -1) {
    return fail(failure("shmctl", errno, text_of_id(id)));
  }
  return {};
}

// What the caller's function throws goes on, but no segment stays behind for it.
Result<void> fill(const SysvMemory& memory, const SysvMemory::Initialise& initialise) try {
  return memory.attach(Access::read_write).transform([&](const Mapping& all) { initialise(all.bytes()); });
} catch (...) {
  ::shmctl(memory.id(), IPC_RMID, nullptr);
  throw;
}

struct Found {
  int id;
  shmid_ds status;
};

Result<Found> find(SysvKey key) {
  if (key.is_unshared()) {
    return fail(Error(Errc::invalid_argument, "shmget").because("an unshared key leads nowhere; adopt an identifier"));
  }
  const int id = ::shmget(key.value(), 0, 0);
  if (id == -1) {
    return fail(os_failure("shmget", errno).on(key.text()));
  }
  const auto status = status_of_any(id);
  if (!status) {
    return fail(Error(Errc::not_found, "shmctl").on(key.text()).because("it has just been removed"));
  }
  return Found{.id = id, .status = *status};
}

// Waits a moment for one that is not initialised.
Result<Found> find_checked(SysvKey key, uid_t owner) {
  const Deadline patience = after(half_made_patience);
  while (true) {
    auto found = find(key);
    if (!found) {
      return found;
    }
    if (auto checked = check_owner("shmget", found->status, key.text(), owner); !checked) {
      return fail(std::move(checked.error()));
    }
    if (!is_half_made(found->status.shm_perm.mode) || patience.passed()) {
      return found;
    }
    [[maybe_unused]] const auto slept = sleep_until(after(half_made_recheck));
  }
}

// The kernel detaches the dead, so one that nobody has mapped has no creator any more who could finish it.
Error half_made(const Found& found, SysvKey key) {
  return Error(Errc::stale, "shmget")
      .on(key.text())
      .because(found.status.shm_nattch == 0 ? "its creator died half-way; open_or_create replaces it"
                                            : "its creator is still initialising it");
}

Result<void> check_enough(std::size_t size, SysvKey key, std::size_t wanted) {
  if (size < wanted) {
    return fail(Error(Errc::invalid_argument, "shmget")
                    .on(key.text())
                    .because("it exists with " + std::to_string(size) + " bytes, " + std::to_string(wanted) +
                             " were asked for, and a segment never grows"));
  }
  return {};
}

}  // namespace

Result<SysvMemory> SysvMemory::create(SysvKey key, std::size_t size, Permissions permissions,
                                      const Initialise& initialise, Pages pages) {
  if (auto checked = check_new(key.text(), size, permissions, pages); !checked) {
    return fail(std::move(checked.error()));
  }
  const std::uint32_t mode = initialise ? 0600 | half_made_bit : permissions.mode();
  const int flags = IPC_CREAT | IPC_EXCL | (pages == Pages::huge ? SHM_HUGETLB : 0);
  const int id = ::shmget(key.value(), size, flags | static_cast<int>(mode));
  if (id == -1) {
    return fail(create_failure(errno, key.text(), size, pages));
  }
  SysvMemory memory(id, size);
  if (initialise) {
    if (auto ready = fill(memory, initialise).and_then([&] { return set_mode(id, permissions); }); !ready) {
      ::shmctl(id, IPC_RMID, nullptr);
      return fail(std::move(ready.error()).on(key.text()));
    }
  }
  return memory;
}

Result<SysvMemory> SysvMemory::open(SysvKey key) { return open(key, ::geteuid()); }

Result<SysvMemory> SysvMemory::open(SysvKey key, uid_t owner) {
  return find_checked(key, owner).and_then([&](const Found& found) -> Result<SysvMemory> {
    if (is_half_made(found.status.shm_perm.mode)) {
      return fail(half_made(found, key));
    }
    return SysvMemory(found.id, found.status.shm_segsz);
  });
}

Result<SysvMemory> SysvMemory::open_or_create(SysvKey key, std::size_t size, Permissions permissions,
                                              const Initialise& initialise) {
  const auto open_whole = [&]() -> Result<SysvMemory> {
    auto found = find_checked(key, ::geteuid());
    if (!found) {
      return fail(std::move(found.error()));
    }
    if (!is_half_made(found->status.shm_perm.mode)) {
      auto checked = check_enough(found->status.shm_segsz, key, size);
      return checked ? Result<SysvMemory>(SysvMemory(found->id, found->status.shm_segsz))
                     : fail(std::move(checked.error()));
    }
    if (found->status.shm_nattch > 0) {
      return fail(half_made(*found, key));
    }
    ::shmctl(found->id, IPC_RMID, nullptr);  // this very one, whatever the key leads to by now
    return fail(Errc::not_found, "shmget");
  };
  return create_or_open("shmget", key.text(), [&] { return create(key, size, permissions, initialise); }, open_whole);
}

Result<SysvMemory> SysvMemory::adopt(int id) {
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) == -1) {
    return fail(failure("shmctl", errno, text_of_id(id)));
  }
  return SysvMemory(id, status.shm_segsz);
}

Result<Mapping> SysvMemory::attach(Access access) const {
  void* const start = ::shmat(id_, nullptr, access == Access::read ? SHM_RDONLY : 0);
  if (start == reinterpret_cast<void*>(-1)) {
    const int os_error = errno;
    return fail(os_error == ENOMEM ? map_failure("shmat", os_error).on(text_of_id(id_))
                                   : failure("shmat", os_error, text_of_id(id_)));
  }
  // munmap(2) detaches as shmdt(2) does.
  return Mapping::adopt(static_cast<std::byte*>(start), size_);
}

Result<SysvMemoryStatus> SysvMemory::status() const {
  shmid_ds status{};
  if (::shmctl(id_, IPC_STAT, &status) == -1) {
    return fail(failure("shmctl", errno, text_of_id(id_)));
  }
  return SysvMemoryStatus{
      .size = status.shm_segsz,
      .attached = status.shm_nattch,
      .owner = status.shm_perm.uid,
      .creator = status.shm_perm.cuid,
      .mode = status.shm_perm.mode & 0777U,
      .made_by = status.shm_cpid,
      .last_used_by = status.shm_lpid,
      .attached_at = status.shm_atime,
      .detached_at = status.shm_dtime,
      .changed_at = status.shm_ctime,
      .marked_for_removal = (status.shm_perm.mode & SHM_DEST) != 0,
  };
}

Result<void> SysvMemory::remove(int id) {
  if (::shmctl(id, IPC_RMID, nullptr) != -1) {
    return {};
  }
  const int os_error = errno;
  if (const auto status = os_error == EPERM ? status_of_any(id) : std::nullopt) {
    return fail(os_failure("shmctl", os_error)
                    .on(text_of_id(id))
                    .because("it belongs to uid " + std::to_string(status->shm_perm.uid) + ", not to uid " +
                             std::to_string(::geteuid())));
  }
  return fail(failure("shmctl", os_error, text_of_id(id)));
}

Result<void> SysvMemory::unlink(SysvKey key) {
  return find(key).and_then([](const Found& found) { return remove(found.id); });
}

}  // namespace tenon
