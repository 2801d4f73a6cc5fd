#pragma once
/// A memory fence for code whose atomic type is a parameter. std::atomic_thread_fence, atomics(C++20)
#include <atomic>

namespace tenon {

/// std::atomic_thread_fence; the word only chooses the function, so that a test's atomic type can bring its own.
template <class T>
inline void thread_fence(const std::atomic<T>& /*word*/, std::memory_order order) noexcept {
  std::atomic_thread_fence(order);  // the caller's, whose line names the edge
}

}  // namespace tenon
