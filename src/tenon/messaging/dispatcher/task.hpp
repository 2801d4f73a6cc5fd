#pragma once
/// A coroutine that runs by itself from the moment it is called: what it awaits goes on with it.
///
/// Dropped, it is destroyed where it stands, and what it awaited with it; so it is not dropped by itself, while it
/// runs.
///
/// Threads: as those that go on with it.
#include <coroutine>
#include <exception>
#include <utility>

namespace tenon {

class [[nodiscard]] Task {
 public:
  struct promise_type {
    Task get_return_object() noexcept { return Task(Handle::from_promise(*this)); }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
    std::exception_ptr thrown = {};
  };

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task taken(std::move(other));
    std::swap(coroutine_, taken.coroutine_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (coroutine_) {
      coroutine_.destroy();
    }
  }

  /// Whether it has come to its end.
  bool is_done() const noexcept { return coroutine_.done(); }
  /// Throws what it ended with, if it threw.
  void rethrow() const {
    if (is_done() && coroutine_.promise().thrown) {
      std::rethrow_exception(coroutine_.promise().thrown);
    }
  }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle coroutine) noexcept : coroutine_(coroutine) {}
  Handle coroutine_;
};

}  // namespace tenon
