#include <tenon/os/held_file.hpp>

#include <tenon/os/above_standard.hpp>
#include <tenon/os/exact_mode.hpp>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <pthread.h>
#include <unistd.h>

namespace tenon {

namespace {

// Without destructors: a thread may still leave a domain while the process's static objects go.
constinit std::mutex held;
constinit HeldFile* first = nullptr;
constinit sigset_t before_fork_mask{};  // of the thread that forks, which holds the list meanwhile

// With all signals blocked: a signal handler that forks while its thread holds the list would wait for itself.
sigset_t hold_list() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  held.lock();
  return before;
}

void release_list(const sigset_t& before) {
  held.unlock();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

class ListLock {
 public:
  ListLock() : before_(hold_list()) {}
  ~ListLock() { release_list(before_); }
  ListLock(const ListLock&) = delete;
  ListLock& operator=(const ListLock&) = delete;

 private:
  sigset_t before_;
};

// Moved before anybody locks it: to close the lower number drops the locks on the file.
Result<Fd> create_above_standard(FdView directory, const char* name, Permissions permissions) {
  auto created = create_file(directory, name, permissions);
  if (!created) {
    return created;
  }
  auto kept = above_standard(std::move(*created));
  if (!kept) {
    ::unlinkat(directory.raw(), name, 0);
  }
  return kept;
}

}  // namespace

struct HeldFile::List {
  static void before_fork() { before_fork_mask = hold_list(); }
  static void after_fork() {
    const sigset_t before = before_fork_mask;  // once the list is free, the next fork has its own there
    release_list(before);
  }
  static void after_fork_in_child() {
    for (HeldFile* file = first; file != nullptr; file = file->next_) {
      [[maybe_unused]] const auto dropped = std::move(file->fd_).close();
    }
    after_fork();
  }

  static Result<void> close_in_children() {
    static const int error = ::pthread_atfork(before_fork, after_fork, after_fork_in_child);
    return error == 0 ? Result<void>() : fail(os_failure("pthread_atfork", error));
  }

  static void remove(const HeldFile* file) noexcept {
    HeldFile** at = &first;
    while (*at != nullptr && *at != file) {
      at = &(*at)->next_;
    }
    if (*at != nullptr) {
      *at = file->next_;
    }
  }
};

Result<std::unique_ptr<HeldFile>> HeldFile::open(const std::function<Result<Fd>()>& open) {
  if (auto ready = List::close_in_children(); !ready) {
    return fail(std::move(ready.error()));
  }
  std::unique_ptr<HeldFile> file(new HeldFile(::getpid()));
  const ListLock lock;
  auto opened = open();
  if (!opened) {
    return fail(std::move(opened.error()));
  }
  file->fd_ = std::move(*opened);
  file->next_ = first;
  first = file.get();
  return file;
}

Result<std::unique_ptr<HeldFile>> HeldFile::create(FdView directory, const char* name, Permissions permissions) {
  return open([&] { return create_above_standard(directory, name, permissions); });
}

HeldFile::~HeldFile() { [[maybe_unused]] const auto dropped = close(); }

Result<void> HeldFile::close() {
  const ListLock lock;
  List::remove(this);
  return std::move(fd_).close();
}

bool HeldFile::is_of_this_process() const noexcept { return fd_.owns() && maker_ == ::getpid(); }

}  // namespace tenon
