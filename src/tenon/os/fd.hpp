#pragma once
/// Descriptors, owned and borrowed. close(2)
#include <tenon/base/result.hpp>

#include <utility>

namespace tenon {

/// A borrowed descriptor: whoever lends it keeps it open for as long as the borrower uses it. Threads: all calls from
/// several at once.
class FdView {
 public:
  constexpr explicit FdView(int raw) noexcept : raw_(raw) {}
  constexpr int raw() const noexcept { return raw_; }

  /// A second descriptor of the same open file description, close-on-exec. Failures: limit_reached.
  Result<class Fd> duplicate() const;

 private:
  int raw_;
};

/// An owned descriptor. Moved from, it owns nothing.
///
/// Threads: view, raw and owns from several at once; close, release and moves when no other thread uses it, for the
/// number may be another file's at once.
class Fd {
 public:
  /// Takes ownership of an open descriptor.
  static Fd adopt(int raw) noexcept { return Fd(raw); }

  Fd(Fd&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  // Closes its own at once: kept alive in `other`, a pipe's old write end would hold back the end of the stream.
  Fd& operator=(Fd&& other) noexcept {
    Fd taken(std::move(other));
    std::swap(raw_, taken.raw_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  FdView view() const noexcept { return FdView(raw_); }
  int raw() const noexcept { return raw_; }
  bool owns() const noexcept { return raw_ >= 0; }
  /// Gives the descriptor away: the caller closes it.
  int release() && noexcept { return std::exchange(raw_, -1); }

  /// Closes it; the error tells of writes that failed late (EIO, ENOSPC, EDQUOT on network file systems).
  Result<void> close() &&;

 private:
  explicit Fd(int raw) noexcept : raw_(raw) {}
  int raw_;
};

/// Failure of a call that could not get a descriptor: names RLIMIT_NOFILE or fs.file-max with its value.
Error descriptor_failure(const char* call, int os_error);

/// Fd of what a call returned, or its error.
Result<Fd> fd_from(int returned, const char* call);

}  // namespace tenon
