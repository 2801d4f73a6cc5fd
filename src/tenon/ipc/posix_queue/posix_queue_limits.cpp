#include <tenon/ipc/posix_queue/posix_queue_limits.hpp>

#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// Those that bound even whoever has CAP_SYS_RESOURCE. include/linux/ipc_namespace.h
constexpr std::uint64_t most_messages = 65536;
constexpr std::uint64_t longest_message = 16U << 20;

std::uint64_t sysctl(const char* name) {
  return procfs::number(std::string("/proc/sys/fs/mqueue/") + name).value_or(0);
}

Error reached(int os_error, const std::string& name, Limit limit) {
  return Error(Errc::limit_reached, "mq_open", os_error).on(name).with(std::move(limit));
}

Error attribute_refused(const std::string& name, const char* which, std::uint64_t wanted, std::uint64_t most) {
  const std::uint64_t set = sysctl(which);
  const bool absolute = wanted > most;
  const std::string sysctl_name = std::string("fs.mqueue.") + which;
  return reached(EINVAL, name,
                 {.name = sysctl_name,
                  .value = absolute ? most : set,
                  .wanted = wanted,
                  .remedy = absolute ? "no queue may have more" : "raise it with: sysctl -w " + sysctl_name + "=N"});
}

// Where the queues of this IPC namespace are to be seen, if they are.
std::optional<std::string> mount_point() {
  std::istringstream mounts(procfs::text("/proc/self/mounts").value_or(""));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string path;
    std::string type;
    if (fields >> device >> path >> type && type == "mqueue") {
      return path;
    }
  }
  return std::nullopt;
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

struct Held {
  std::uint64_t queues = 0;
  std::uint64_t bytes = 0;
};

// What this user's queues are charged already, as far as their names can be seen and the queues be asked.
std::optional<Held> held_by_user() {
  const auto path = mount_point();
  const std::unique_ptr<DIR, CloseDirectory> directory(path ? ::opendir(path->c_str()) : nullptr);
  if (!directory) {
    return std::nullopt;
  }
  Held held;
  while (const dirent* entry = ::readdir(directory.get())) {
    const Fd queue = Fd::adopt(::mq_open(("/" + std::string(entry->d_name)).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    mq_attr attributes{};
    const bool seen = queue.owns() && ::fstat(queue.raw(), &status) == 0 && ::mq_getattr(queue.raw(), &attributes) == 0;
    if (seen && status.st_uid == ::geteuid()) {
      ++held.queues;
      held.bytes += posix_queue_charge({.messages = static_cast<std::size_t>(attributes.mq_maxmsg),
                                        .message_bytes = static_cast<std::size_t>(attributes.mq_msgsize)});
    }
  }
  return held;
}

// EMFILE stands for two limits; a descriptor that can be had tells which it was.
bool descriptors_are_left() { return Fd::adopt(::eventfd(0, EFD_CLOEXEC)).owns(); }

Error bytes_refused(const std::string& name, PosixQueue::Limits limits) {
  struct rlimit limit{};
  ::getrlimit(RLIMIT_MSGQUEUE, &limit);
  const std::uint64_t needed = posix_queue_charge(limits);
  const auto held = held_by_user();
  const std::string others =
      held ? "this user holds " + std::to_string(held->queues) + " queues of " + std::to_string(held->bytes) + " bytes"
           : "what this user holds already is seen after: mount -t mqueue none /dev/mqueue";
  return reached(EMFILE, name,
                 {.name = "RLIMIT_MSGQUEUE",
                  .value = limit.rlim_cur,
                  .wanted = needed + (held ? held->bytes : 0),
                  .remedy = "this queue needs " + std::to_string(needed) + " bytes, " + others +
                            "; unlink some, or raise it with: ulimit -q"});
}

}  // namespace

std::uint64_t posix_queue_charge(PosixQueue::Limits limits) noexcept {
  // struct msg_msg for each message, and a node of the tree of priorities for each that they could have. ipc/mqueue.c
  constexpr std::uint64_t per_message = 48;
  constexpr std::uint64_t per_priority = 48;
  const std::uint64_t priorities = std::min<std::uint64_t>(limits.messages, PosixQueue::most_priority + 1);
  return limits.messages * (limits.message_bytes + per_message) + priorities * per_priority;
}

Error posix_queue_create_failure(int os_error, const std::string& name, PosixQueue::Limits limits) {
  if (os_error == EINVAL && (limits.messages > most_messages || limits.messages > sysctl("msg_max"))) {
    return attribute_refused(name, "msg_max", limits.messages, most_messages);
  }
  if (os_error == EINVAL && (limits.message_bytes > longest_message || limits.message_bytes > sysctl("msgsize_max"))) {
    return attribute_refused(name, "msgsize_max", limits.message_bytes, longest_message);
  }
  if (os_error == ENOSPC) {
    const std::uint64_t most = sysctl("queues_max");
    return reached(ENOSPC, name,
                   {.name = "fs.mqueue.queues_max",
                    .value = most,
                    .wanted = most + 1,
                    .remedy = "unlink queues that nobody uses, or raise it with: sysctl -w fs.mqueue.queues_max=N"});
  }
  if (os_error == EMFILE && descriptors_are_left()) {
    return bytes_refused(name, limits);
  }
  return descriptor_failure("mq_open", os_error).on(name);
}

Error posix_queue_name_failure(const char* call, int os_error, const std::string& name) {
  Error failure = descriptor_failure(call, os_error).on(name);
  const auto mounted = os_error == EACCES ? mount_point() : std::nullopt;
  struct stat status{};
  if (!mounted || ::lstat((*mounted + name).c_str(), &status) == -1) {
    return failure;
  }
  std::ostringstream why;
  why << "it belongs to uid " << status.st_uid << ", and its mode is 0" << std::oct << (status.st_mode & 0777);
  return std::move(failure).because(why.str());
}

}  // namespace tenon
