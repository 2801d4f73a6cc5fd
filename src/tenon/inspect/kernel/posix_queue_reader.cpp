/// POSIX queues, as files of the mqueue file system wherever it is mounted, and those that somebody has open.
/// mq_overview(7)
#include <tenon/inspect/kernel/scene.hpp>

#include <tenon/os/fd.hpp>
#include <tenon/os/procfs.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mqueue.h>
#include <set>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

namespace tenon::inspect {

namespace {

constexpr long mqueue_magic = 0x19800202;
constexpr const char* how_to_mount = "mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue";

// Depth and limits, which a descriptor alone tells. It must be the very queue that was listed: a mount may show those
// of another IPC namespace. False if it is not.
bool add_figures(Object& object) {
  const auto queue = fd_from(::mq_open(object.name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "mq_open");
  if (!queue) {
    return !queue.failed_with(Errc::not_found);
  }
  const auto status = status_of(queue->raw(), "", true);
  mq_attr attributes{};
  if (::mq_getattr(queue->raw(), &attributes) == 0) {
    const auto number = [](long value) { return static_cast<std::uint64_t>(value); };
    object.figures = {{.name = "messages", .value = number(attributes.mq_curmsgs)},
                      {.name = "max_messages", .value = number(attributes.mq_maxmsg)},
                      {.name = "max_message_bytes", .value = number(attributes.mq_msgsize)}};
  }
  return !status || file_id(*status) == object.file;
}

Object queue_object(std::string name, const struct statx& status) {
  Object object = file_object(Kind::posix_queue, std::move(name), status);
  object.used = moment(std::max(status.stx_atime.tv_sec, status.stx_mtime.tv_sec));
  return object;
}

void read_mount(const std::string& point, const Scene& scene, Snapshot& into) {
  auto names = names_in(point);
  if (!names) {
    into.unseen.push_back("POSIX queues: " + names.error().message());
    return;
  }
  bool foreign = false;
  for (const std::string& name : *names) {
    const auto status = status_of(AT_FDCWD, (point + "/" + name).c_str());
    if (!status) {
      continue;
    }
    Object object = queue_object("/" + name, *status);
    if (add_figures(object)) {
      add_file(into, std::move(object), scene.sightings);
    } else {
      foreign = true;
    }
  }
  if (foreign) {
    into.unseen.push_back("POSIX queues at " + point + ": that mount belongs to another IPC namespace");
  }
}

bool is_queue(const Sighting& one) {
  struct statfs system{};
  return one.target.rfind('/') == 0 && !one.target.starts_with("/memfd:") &&
         ::statfs(one.path().c_str(), &system) == 0 && system.f_type == mqueue_magic && shares_ipc(one.pid);
}

}  // namespace

void read_posix_queues(const Scene& scene, Snapshot& into) {
  bool mounted = false;
  const auto mounts = procfs::mounts();
  for (const procfs::Mount& mount : mounts ? *mounts : std::vector<procfs::Mount>()) {
    if (mount.type == "mqueue" && !std::exchange(mounted, true)) {
      read_mount(mount.point, scene, into);
    }
  }
  if (!mounted) {
    into.unseen.emplace_back("POSIX queues that nobody has open: no mqueue file system is mounted; root does it with: ")
        .append(how_to_mount);
  }
  std::set<FileId> told;
  for (const Object& object : into.objects) {
    told.insert(object.file);
  }
  for (const Sighting& one : scene.sightings.all(Sighting::What::file)) {
    const bool fresh = !told.contains(one.file) && is_queue(one);
    const auto* const status = fresh ? scene.sightings.status(one.file) : nullptr;
    if (status != nullptr) {
      told.insert(one.file);
      Object object = queue_object(without_mark(one.target), *status);
      object.state = is_unlinked(one.target) ? "unlinked" : "";
      const bool named = object.state.empty();
      if (!named || add_figures(object)) {
        add_file(into, std::move(object), scene.sightings);
      }
    }
  }
}

}  // namespace tenon::inspect
