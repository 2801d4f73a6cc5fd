#pragma once
/// An open file that is this process's alone: forked children do not keep it. pthread_atfork(3)
///
/// For files whose last close, or whose lock, tells the others of a death: a child that kept a copy would hold the news
/// back. A handler closes the copies in the child; fork() waits while a file is being opened or closed, so there is no
/// moment at which a copy escapes it. Children made by the bare clone(2) or vfork(2) do keep a copy, until they exec.
///
/// A signal handler may fork, also one that interrupts a fork(): signals wait while the list of open files is held.
///
/// Threads: any call from any thread, each on its own HeldFile.
#include <tenon/base/permissions.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <functional>
#include <memory>
#include <sys/types.h>

namespace tenon {

class HeldFile {
 public:
  /// Holds what `open` opens. Failures: those of `open`, no_memory.
  static Result<std::unique_ptr<HeldFile>> open(const std::function<Result<Fd>()>& open);
  /// As create_file() of os/exact_mode.hpp, and never under the number of a standard descriptor. Failures: also
  /// no_memory.
  static Result<std::unique_ptr<HeldFile>> create(FdView directory, const char* name, Permissions permissions);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  /// -1 in a forked child.
  FdView fd() const noexcept { return fd_.view(); }
  /// False in a child of the process that created it.
  bool is_of_this_process() const noexcept;
  /// Closes it at once. Failures: those of close(2).
  Result<void> close();

 private:
  struct List;
  explicit HeldFile(pid_t maker) noexcept : maker_(maker) {}

  Fd fd_ = Fd::adopt(-1);
  pid_t maker_;
  HeldFile* next_ = nullptr;
};

}  // namespace tenon
