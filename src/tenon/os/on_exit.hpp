#pragma once
/// An object's life is not a handle's: these guards, and nothing else, remove one when a scope ends.
#include <tenon/base/result.hpp>

#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace tenon {

/// Keeps a `Name`, and at the end of the scope calls a function that takes it as a `View`. Only in the process that
/// made the guard: a forked child that leaves the scope removes nothing. Errors are dropped; who wants them calls the
/// function.
///
/// Threads: one at a time.
template <class Name, class View = Name>
class OnExit {
 public:
  using Remove = Result<void> (*)(View);

  OnExit(Remove remove, Name name) : remove_(remove), name_(std::move(name)), maker_(::getpid()) {}
  OnExit(OnExit&& other) noexcept
      : remove_(std::exchange(other.remove_, nullptr)), name_(std::move(other.name_)), maker_(other.maker_) {}
  OnExit(const OnExit&) = delete;
  OnExit& operator=(const OnExit&) = delete;
  OnExit& operator=(OnExit&&) = delete;
  ~OnExit() {
    if (remove_ != nullptr && ::getpid() == maker_) {
      [[maybe_unused]] const auto dropped = remove_(name_);
    }
  }

  /// Leaves the object after all.
  void keep() noexcept { remove_ = nullptr; }

 private:
  Remove remove_;
  Name name_;
  pid_t maker_;
};

}  // namespace tenon
