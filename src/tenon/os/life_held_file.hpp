#pragma once
/// The open life file of this process, which forked children do not keep. pthread_atfork(3)
///
/// The last close of the file is what tells the others of a death, so a child that kept a copy would hold the news
/// back. A handler closes the copies in the child; fork() waits while a file is being opened or closed, so there is no
/// moment at which a copy escapes it. Children made by the bare clone(2) or vfork(2) do keep a copy, until they
/// exec: the lock, which is the parent's alone, then still tells the truth, later.
///
/// Threads: any call from any thread, each on its own HeldFile.
#include <tenon/base/permissions.hpp>
#include <tenon/base/result.hpp>
#include <tenon/os/fd.hpp>

#include <memory>
#include <sys/types.h>

namespace tenon {

class HeldFile {
 public:
  /// As create_file() of os/exact_mode.hpp. Failures: also no_memory.
  static Result<std::unique_ptr<HeldFile>> create(FdView directory, const char* name, Permissions permissions);
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  FdView fd() const noexcept { return fd_.view(); }
  /// False in a child of the process that created it.
  bool is_of_this_process() const noexcept;

 private:
  struct List;
  explicit HeldFile(pid_t maker) noexcept : maker_(maker) {}

  Fd fd_ = Fd::adopt(-1);
  pid_t maker_;
  HeldFile* next_ = nullptr;
};

}  // namespace tenon
