#include <cli/unchanged.hpp>

#include <tenon/inspect/waits/queue_sleepers.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

namespace tenon::cli {

namespace {

using inspect::Object;
using inspect::Relation;
using inspect::Snapshot;

Error failure(const char* call, const Object& object) {
  const bool gone = errno == EINVAL || errno == EIDRM;  // as they say it of an identifier that has gone
  return gone ? Error(Errc::not_found, call, errno).on(object.name) : os_failure(call, errno).on(object.name);
}

Result<void> unchanged_if(bool same, const Object& object) {
  return same ? Result<void>()
              : fail(Error(Errc::stale).on(object.name).because("somebody has used it since it was looked at"));
}

pid_t remembered(const Snapshot& all, std::size_t at, Relation relation) {
  const auto edges = all.edges_of(at);
  const auto found = std::ranges::find(edges, relation, &inspect::Edge::relation);
  return found == edges.end() ? 0 : found->pid;
}

// Of what the kernel has none it writes 0, and a snapshot nothing.
bool is_moment(const std::optional<std::int64_t>& seen, std::int64_t now) { return seen.value_or(0) == now; }

Result<void> check_memory(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  shmid_ds now{};
  if (::shmctl(*object.id, IPC_STAT, &now) == -1) {
    return fail(failure("shmctl", object));
  }
  return unchanged_if(now.shm_nattch == object.figure("attached").value_or(0) &&
                          is_moment(object.changed, now.shm_ctime) &&
                          is_moment(object.used, std::max(now.shm_atime, now.shm_dtime)) &&
                          now.shm_lpid == remembered(all, at, Relation::last_attached),
                      object);
}

Result<void> check_queue(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  msqid_ds now{};
  if (::msgctl(*object.id, IPC_STAT, &now) == -1) {
    return fail(failure("msgctl", object));
  }
  return unchanged_if(now.msg_qnum == object.figure("messages").value_or(0) &&
                          is_moment(object.changed, now.msg_ctime) &&
                          is_moment(object.used, std::max(now.msg_stime, now.msg_rtime)) &&
                          now.msg_lspid == remembered(all, at, Relation::last_sent) &&
                          now.msg_lrpid == remembered(all, at, Relation::last_received) &&
                          inspect::QueueSleepers().at(*object.id).empty(),
                      object);
}

Result<void> check_set(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  semid_ds now{};
  union Argument {
    int value;
    semid_ds* set;
  } argument{.set = &now};
  if (::semctl(*object.id, 0, IPC_STAT, argument) == -1) {
    return fail(failure("semctl", object));
  }
  const auto edges = all.edges_of(at);
  bool same = is_moment(object.changed, now.sem_ctime) && is_moment(object.used, now.sem_otime);
  for (int number = 0; same && number < static_cast<int>(now.sem_nsems); ++number) {
    const int last = ::semctl(*object.id, number, GETPID);
    const bool known = last == 0 || std::ranges::find(edges, last, &inspect::Edge::pid) != edges.end();
    same = known && ::semctl(*object.id, number, GETNCNT) == 0 && ::semctl(*object.id, number, GETZCNT) == 0;
  }
  return unchanged_if(same, object);
}

}  // namespace

Result<void> check_unchanged(const Snapshot& all, std::size_t at) {
  const Object& object = all.objects[at];
  switch (object.kind) {
    case inspect::Kind::sysv_memory:
      return check_memory(all, at);
    case inspect::Kind::sysv_queue:
      return check_queue(all, at);
    case inspect::Kind::sysv_semaphore:
      return check_set(all, at);
    default: {
      struct stat status{};
      if (::lstat(object.name.c_str(), &status) == -1) {
        return fail(os_failure("lstat", errno).on(object.name));
      }
      return unchanged_if(status.st_dev == object.file.device && status.st_ino == object.file.inode, object);
    }
  }
}

}  // namespace tenon::cli
