#pragma once
/// As UnlinkOnExit, for objects that the kernel knows by a number: System V queues, segments and semaphore sets.
#include <tenon/base/result.hpp>

#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace tenon {

/// `RemoveOnExit guard(SysvQueue::remove, queue.id());` Removes only in the process that made it: a forked child that
/// leaves the scope removes nothing. Errors are dropped; who wants them calls remove.
class RemoveOnExit {
 public:
  using Remove = Result<void> (*)(int id);

  RemoveOnExit(Remove remove, int id) noexcept : remove_(remove), id_(id), maker_(::getpid()) {}
  RemoveOnExit(RemoveOnExit&& other) noexcept
      : remove_(std::exchange(other.remove_, nullptr)), id_(other.id_), maker_(other.maker_) {}
  RemoveOnExit(const RemoveOnExit&) = delete;
  RemoveOnExit& operator=(const RemoveOnExit&) = delete;
  RemoveOnExit& operator=(RemoveOnExit&&) = delete;
  ~RemoveOnExit() {
    if (remove_ != nullptr && ::getpid() == maker_) {
      [[maybe_unused]] const auto dropped = remove_(id_);
    }
  }

  /// Leaves the object after all.
  void keep() noexcept { remove_ = nullptr; }

 private:
  Remove remove_;
  int id_;
  pid_t maker_;
};

}  // namespace tenon
