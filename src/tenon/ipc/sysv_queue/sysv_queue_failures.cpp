#include <tenon/ipc/sysv_queue/sysv_queue_failures.hpp>

#include <tenon/os/procfs.hpp>

#include <array>
#include <cerrno>
#include <optional>
#include <sstream>
#include <string>
#include <sys/ipc.h>

namespace tenon {

namespace {

bool removed(int os_error) noexcept { return os_error == EIDRM || os_error == EINVAL; }

Error removed_failure(const char* call, int os_error) {
  return Error(Errc::closed, call, os_error).because("the queue was removed");
}

Error too_long(std::size_t size, const char* limit, std::uint64_t most, const char* remedy) {
  return Error(Errc::message_too_long, "msgsnd").with({.name = limit, .value = most, .wanted = size, .remedy = remedy});
}

struct Owners {
  uid_t owner;
  uid_t creator;
};

// IPC_STAT needs the right to read, this table does not.
std::optional<Owners> owners_from_table(int id) {
  std::istringstream table(procfs::text("/proc/sysvipc/msg").value_or(""));
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::array<long long, 10> field{};  // key msqid perms cbytes qnum lspid lrpid uid gid cuid
    for (long long& one : field) {
      fields >> one;
    }
    if (fields && field[1] == id) {
      return Owners{.owner = static_cast<uid_t>(field[7]), .creator = static_cast<uid_t>(field[9])};
    }
  }
  return std::nullopt;
}

std::optional<Owners> owners_of(int id) {
  const auto status = sysv_queue_status(id);
  return status ? std::optional(Owners{.owner = status->msg_perm.uid, .creator = status->msg_perm.cuid})
                : owners_from_table(id);
}

}  // namespace

std::uint64_t sysv_queue_setting(const char* name) {
  return procfs::number(std::string("/proc/sys/kernel/") + name).value_or(0);
}

bool sysv_queue_would_block(int os_error) noexcept { return os_error == EAGAIN || os_error == ENOMSG; }

Error sysv_queue_send_failure(int os_error, long type, std::size_t size) {
  if (os_error == EINVAL && type < 1) {
    return os_failure("msgsnd", os_error).because("the type of a message is at least 1, not " + std::to_string(type));
  }
  if (const auto most = sysv_queue_setting("msgmax"); os_error == EINVAL && size > most) {
    return too_long(size, "kernel.msgmax", most, "send it in parts, or raise it with: sysctl -w kernel.msgmax=N");
  }
  return removed(os_error) ? removed_failure("msgsnd", os_error) : os_failure("msgsnd", os_error);
}

Error sysv_queue_receive_failure(int os_error, MutableBytes into) {
  if (os_error == E2BIG) {
    return Error(Errc::message_too_long, "msgrcv", os_error)
        .because("the message is longer than the buffer of " + std::to_string(into.size()) +
                 " bytes; it was not taken");
  }
  if (os_error == ENOSYS) {
    return Error(Errc::not_supported, "msgrcv", os_error)
        .because("this kernel was built without CONFIG_CHECKPOINT_RESTORE, which peeking needs");
  }
  if (sysv_queue_would_block(os_error)) {
    return Error(Errc::would_block, "msgrcv", os_error);
  }
  return removed(os_error) ? removed_failure("msgrcv", os_error) : os_failure("msgrcv", os_error);
}

Error sysv_queue_create_failure(int os_error, SysvKey key) {
  if (os_error != ENOSPC) {
    return os_failure("msgget", os_error).on(key.text());
  }
  const std::uint64_t most = sysv_queue_setting("msgmni");
  return Error(Errc::limit_reached, "msgget", os_error)
      .on(key.text())
      .with({.name = "kernel.msgmni",
             .value = most,
             .wanted = most + 1,
             .remedy = "remove queues that nobody uses (ipcrm -q ID), or raise it with: sysctl -w kernel.msgmni=N"});
}

Result<msqid_ds> sysv_queue_status(int id) {
  msqid_ds status{};
  if (::msgctl(id, IPC_STAT, &status) == -1) {
    return fail(removed(errno) ? removed_failure("msgctl", errno) : os_failure("msgctl", errno));
  }
  return status;
}

Result<void> sysv_queue_fits(int id, std::size_t size) {
  const auto status = sysv_queue_status(id);
  if (status && size > status->msg_qbytes) {
    return fail(too_long(size, "msg_qbytes of this queue", status->msg_qbytes,
                         "send it in parts, or raise it with set_capacity(); without CAP_SYS_RESOURCE kernel.msgmnb "
                         "bounds that"));
  }
  return {};
}

Result<void> sysv_queue_belongs_to(int id, SysvKey key, uid_t owner) {
  const auto owners = owners_of(id);
  if (!owners) {
    return fail(Error(Errc::not_found, "msgget").on(key.text()).because("it has just been removed"));
  }
  const uid_t foreign = owners->owner != owner ? owners->owner : owners->creator;
  if (foreign != owner) {
    return fail(Error(Errc::permission_denied, "msgget")
                    .on(key.text())
                    .because("it belongs to uid " + std::to_string(foreign) + ", not to uid " + std::to_string(owner)));
  }
  return {};
}

Error sysv_queue_remove_failure(int os_error, int id) {
  const std::string shown = "#" + std::to_string(id);
  if (removed(os_error)) {
    return Error(Errc::not_found, "msgctl", os_error).on(shown);
  }
  const auto owners = owners_from_table(id);
  return os_failure("msgctl", os_error)
      .on(shown)
      .because(owners ? "it belongs to uid " + std::to_string(owners->owner) : "it is somebody else's");
}

}  // namespace tenon
