#include <cli/output_file.hpp>

#include <tenon/os/backoff.hpp>
#include <tenon/os/poll.hpp>
#include <tenon/os/sigpipe.hpp>
#include <tenon/os/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

constexpr mode_t mode_of_new_files = 0666;  // a file of the user's own making: here the umask decides
constexpr std::size_t together = 256UL * 1024;
constexpr std::size_t pipe_piece = 4096;  // what a pipe that is ready for writing takes without blocking
constexpr auto last_flush = std::chrono::milliseconds(100);

bool is_standard_output(const std::string& path) { return path.empty() || path == "-"; }

bool is_special(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

bool is_regular(FdView file) {
  struct stat status{};
  return ::fstat(file.raw(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<Fd> open_at(const std::string& path, int flags) {
  auto file =
      fd_from(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode_of_new_files); }), "open");
  if (!file) {
    return fail(std::move(file.error()).on(path));
  }
  return file;
}

// A FIFO waits for its reader, and an open(2) that waits knows neither deadlines nor stops.
Result<Fd> open_special(const std::string& path, Deadline deadline) {
  Backoff backoff(deadline);
  while (true) {
    auto file = open_at(path, O_WRONLY | O_NONBLOCK);
    if (!file.failed_with(Errc::no_peer)) {
      return std::move(file).and_then([](Fd opened) -> Result<Fd> {
        const int flags = ::fcntl(opened.raw(), F_GETFL);
        return ::fcntl(opened.raw(), F_SETFL, flags & ~O_NONBLOCK) == 0 ? Result<Fd>(std::move(opened))
                                                                        : fail(os_failure("fcntl", errno));
      });
    }
    if (auto slept = backoff.sleep(); !slept) {
      return fail(Error(slept.error().code(), "open").on(path).because("nobody reads it"));
    }
  }
}

// Two transfers into one file would write over each other, and the first to end would give the name to the mixture.
Result<Fd> claimed(Fd file, const std::string& partial) {
  if (::flock(file.raw(), LOCK_EX | LOCK_NB) == -1) {
    return errno == EWOULDBLOCK
               ? fail(Error(Errc::already_exists, "open").on(partial).because("another transfer writes this file"))
               : fail(os_failure("flock", errno).on(partial));
  }
  // The other one may have ended between our open and our lock: then this is its result under its final name.
  struct stat held{};
  struct stat named{};
  const bool same = ::fstat(file.raw(), &held) == 0 && ::lstat(partial.c_str(), &named) == 0 &&
                    held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  return same ? Result<Fd>(std::move(file))
              : fail(Error(Errc::already_exists, "open").on(partial).because("another transfer wrote this file"));
}

// One that an earlier transfer left is written over; in a directory that others may write, it could be a trap.
Result<Fd> open_leftover(const std::string& partial) {
  const auto claim = [&](Fd file) { return claimed(std::move(file), partial); };
  return open_at(partial, O_WRONLY | O_NOFOLLOW | O_NONBLOCK).and_then(claim).and_then([&](Fd file) -> Result<Fd> {
    struct stat status{};
    const bool known = ::fstat(file.raw(), &status) == 0;
    if (!known || !S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_uid != ::geteuid()) {
      return fail(Error(Errc::permission_denied, "open")
                      .on(partial)
                      .because("it is no file of an earlier transfer: remove it, or name another output"));
    }
    if (::ftruncate(file.raw(), 0) == -1) {
      return fail(os_failure("ftruncate", errno).on(partial));
    }
    return file;
  });
}

Result<Fd> open_partial(const std::string& partial) {
  auto file = open_at(partial, O_WRONLY | O_CREAT | O_EXCL);
  return file.failed_with(Errc::already_exists)
             ? open_leftover(partial)
             : std::move(file).and_then([&](Fd made) { return claimed(std::move(made), partial); });
}

}  // namespace

OutputFile::OutputFile(Fd file, std::string path, std::string partial)
    : file_(std::move(file)),
      path_(std::move(path)),
      partial_(std::move(partial)),
      may_block_(!is_regular(file_.view())) {}

Result<void> OutputFile::check(const std::string& path) {
  struct stat status{};
  if (is_standard_output(path)) {
    return {};
  }
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail(Error(Errc::wrong_kind, "open").on(path).because("it is a directory"));
  }
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (!is_special(path) && ::access(directory.c_str(), W_OK) == -1) {
    return fail(os_failure("open", errno).on(directory));
  }
  return {};
}

Result<OutputFile> OutputFile::open(const std::string& path, Deadline deadline) {
  if (is_standard_output(path)) {
    auto file = FdView(STDOUT_FILENO).duplicate();
    return file ? Result<OutputFile>(OutputFile(std::move(*file), "", ""))
                : fail(std::move(file.error()).on("standard output"));
  }
  if (is_special(path)) {
    return open_special(path, deadline).transform([&](Fd file) { return OutputFile(std::move(file), path, ""); });
  }
  const std::string partial = path + ".partial";
  return open_partial(partial).transform([&](Fd file) { return OutputFile(std::move(file), path, partial); });
}

Result<void> OutputFile::write(Bytes bytes, Deadline deadline) {
  unwritten_.insert(unwritten_.end(), bytes.begin(), bytes.end());
  return unwritten_.size() >= together ? flush(deadline) : Result<void>();
}

Result<void> OutputFile::flush(Deadline deadline) {
  Bytes left = unwritten_;
  while (!left.empty()) {
    auto written = write_some(left, deadline);
    if (!written) {
      unwritten_.erase(unwritten_.begin(), unwritten_.end() - static_cast<std::ptrdiff_t>(left.size()));
      return fail(std::move(written.error()));
    }
    left = left.subspan(*written);
    written_ += *written;
  }
  unwritten_.clear();
  return {};
}

Result<std::size_t> OutputFile::write_some(Bytes bytes, Deadline deadline) {
  // Standard output may be a pipe whose reader has stopped reading: the wait is what Ctrl-C can end.
  if (auto ready = may_block_ ? wait_ready(file_.view(), Ready::writing, deadline) : Result<Ready>(Ready::writing);
      !ready) {
    return fail(std::move(ready.error()).on(path_.empty() ? "standard output" : path_));
  }
  const Bytes piece = bytes.first(may_block_ ? std::min(bytes.size(), pipe_piece) : bytes.size());
  // Quietly: SIGPIPE would end us before the sender and our own leavings were seen to.
  const ssize_t written = uninterrupted([&] { return write_quietly(file_.raw(), piece); });
  if (written == -1 && errno != EAGAIN) {
    const char* standard_output = "standard output";
    return fail(os_failure("write", errno).on(!partial_.empty() ? partial_ : path_.empty() ? standard_output : path_));
  }
  return written == -1 ? 0 : static_cast<std::size_t>(written);
}

Result<void> OutputFile::commit(Deadline deadline) {
  if (auto flushed = flush(deadline); !flushed) {
    return flushed;
  }
  // Closed before it gets its name, for some file systems tell only then that they are full; but a second descriptor
  // holds the lock until it has it.
  const auto lock = file_.view().duplicate();
  if (auto closed = std::move(file_).close(); !closed) {
    return fail(std::move(closed.error()).on(path_.empty() ? "standard output" : path_));
  }
  if (!partial_.empty() && ::rename(partial_.c_str(), path_.c_str()) == -1) {
    return fail(os_failure("rename", errno).on(path_));
  }
  partial_.clear();
  return {};
}

std::string OutputFile::leave_partial() {
  // What does not fit any more is lost with the error that is told already.
  [[maybe_unused]] const auto flushed = file_.owns() ? flush(after(last_flush)) : Result<void>();
  if (!partial_.empty() && written_ == 0) {
    ::unlink(partial_.c_str());
    return "";
  }
  return partial_;
}

Result<void> print_whole(std::string_view text, Deadline deadline) {
  return OutputFile::open("-", immediately).and_then([&](OutputFile output) {
    return output.write(bytes_of(text), deadline).and_then([&] { return output.commit(deadline); });
  });
}

}  // namespace tenon::cli
