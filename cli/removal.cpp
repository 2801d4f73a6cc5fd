#include <cli/removal.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mqueue.h>
#include <semaphore.h>
#include <string>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

using inspect::Kind;
using inspect::Object;

struct Row {
  Kind kind;
  const char* call;
  int (*remove)(const Object&);
};

constexpr std::array rows = {
    Row{Kind::posix_queue, "mq_unlink", [](const Object& object) { return ::mq_unlink(object.name.c_str()); }},
    Row{Kind::sysv_queue, "msgctl", [](const Object& object) { return ::msgctl(*object.id, IPC_RMID, nullptr); }},
    Row{Kind::posix_memory, "shm_unlink", [](const Object& object) { return ::shm_unlink(object.name.c_str()); }},
    Row{Kind::sysv_memory, "shmctl", [](const Object& object) { return ::shmctl(*object.id, IPC_RMID, nullptr); }},
    Row{Kind::posix_semaphore, "sem_unlink", [](const Object& object) { return ::sem_unlink(object.name.c_str()); }},
    Row{Kind::sysv_semaphore, "semctl", [](const Object& object) { return ::semctl(*object.id, 0, IPC_RMID); }},
    Row{Kind::fifo, "unlink", [](const Object& object) { return ::unlink(object.name.c_str()); }},
    Row{Kind::unix_socket, "unlink", [](const Object& object) { return ::unlink(object.name.c_str()); }},
};

// Where the name is a path, what is there now; "" for the others, whose names are the kernel's or glibc's business.
std::string path_of(const Object& object) {
  switch (object.kind) {
    case Kind::fifo:
    case Kind::unix_socket:
      return object.name;
    case Kind::posix_memory:
      return "/dev/shm" + object.name;
    case Kind::posix_semaphore:
      return "/dev/shm/sem." + object.name.substr(1);
    default:
      return "";
  }
}

// The kernel cannot unlink by inode: between this look and the call lie microseconds instead of the user's thinking.
Result<void> check_still_there(const Object& object) {
  const std::string path = path_of(object);
  struct stat status{};
  if (path.empty()) {
    return {};
  }
  if (::lstat(path.c_str(), &status) == -1) {
    return fail(os_failure("lstat", errno).on(object.name));
  }
  if (status.st_dev != object.file.device || status.st_ino != object.file.inode) {
    return fail(Error(Errc::stale, "unlink").on(object.name).because("another object has taken that name meanwhile"));
  }
  return {};
}

}  // namespace

Result<void> remove(const Object& object) {
  const auto row = std::ranges::find(rows, object.kind, &Row::kind);
  if (row == rows.end() || object.state.ends_with("unlinked") || object.name.starts_with('@')) {
    return fail(Error(Errc::not_supported)
                    .on(object.name)
                    .because("it has no name that could be taken away: it goes with the last process that holds it"));
  }
  if (auto there = check_still_there(object); !there) {
    return there;
  }
  if (row->remove(object) == -1) {
    // The System V calls say EINVAL or EIDRM for an identifier that has gone.
    const bool gone = object.id && (errno == EINVAL || errno == EIDRM);
    return fail(gone ? Error(Errc::not_found, row->call, errno).on(object.name)
                     : os_failure(row->call, errno).on(object.name));
  }
  return {};
}

}  // namespace tenon::cli
