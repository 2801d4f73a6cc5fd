#include <tenon/os/held_file.hpp>

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

/// Holds the list, with all signals blocked: a signal handler that forks in here would wait for itself.
class ListLock {
 public:
  ListLock() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    held.lock();
  }
  ~ListLock() {
    held.unlock();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  ListLock(const ListLock&) = delete;
  ListLock& operator=(const ListLock&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct HeldFile::List {
  static void before_fork() { held.lock(); }
  static void after_fork_in_parent() { held.unlock(); }
  static void after_fork_in_child() {
    for (HeldFile* file = first; file != nullptr; file = file->next_) {
      [[maybe_unused]] const auto dropped = std::move(file->fd_).close();
    }
    held.unlock();
  }

  static Result<void> close_in_children() {
    static const int error = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
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
  return open([&] { return create_file(directory, name, permissions); });
}

HeldFile::~HeldFile() { [[maybe_unused]] const auto dropped = close(); }

Result<void> HeldFile::close() {
  const ListLock lock;
  List::remove(this);
  return std::move(fd_).close();
}

bool HeldFile::is_of_this_process() const noexcept { return fd_.owns() && maker_ == ::getpid(); }

}  // namespace tenon
