#pragma once
/// A name's life is not a handle's: this guard, and nothing else, removes a name when a scope ends.
#include <tenon/base/result.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace tenon {

/// `UnlinkOnExit guard(Fifo::unlink, path);` Removes only in the process that made it: a forked child that leaves the
/// scope removes nothing. Errors are dropped; who wants them calls unlink.
class UnlinkOnExit {
 public:
  using Unlink = Result<void> (*)(std::string_view);

  UnlinkOnExit(Unlink unlink, std::string name) : unlink_(unlink), name_(std::move(name)), maker_(::getpid()) {}
  UnlinkOnExit(UnlinkOnExit&& other) noexcept
      : unlink_(std::exchange(other.unlink_, nullptr)), name_(std::move(other.name_)), maker_(other.maker_) {}
  UnlinkOnExit(const UnlinkOnExit&) = delete;
  UnlinkOnExit& operator=(const UnlinkOnExit&) = delete;
  UnlinkOnExit& operator=(UnlinkOnExit&&) = delete;
  ~UnlinkOnExit() {
    if (unlink_ != nullptr && ::getpid() == maker_) {
      [[maybe_unused]] const auto dropped = unlink_(name_);
    }
  }

  /// Leaves the name after all.
  void keep() noexcept { unlink_ = nullptr; }

 private:
  Unlink unlink_;
  std::string name_;
  pid_t maker_;
};

}  // namespace tenon
