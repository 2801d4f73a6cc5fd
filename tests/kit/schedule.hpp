#pragma once
/// A deterministic scheduler for lock-free code: it runs the threads one at a time and decides, at each access, who
/// goes on and how old a value is read. A schedule that fails is printed and can be replayed.
///
/// Lock-free code takes its atomic type as a parameter,
///     template <template <class> class Atomic = std::atomic> class Ring { Atomic<std::uint32_t> head_; … };
/// and a test gives it kit::Atomic. A fence goes through the free function `thread_fence(word, order)`, found by the
/// type of the word, since std::atomic_thread_fence cannot be intercepted; payload that must not race is kit::Plain.
///
/// It finds: wrong interleavings; a missing release, acquire or seq_cst, in stores, loads, read-modify-writes and
/// fences (a value may be read late, other words than the one read may be seen in another order, as far as C++20
/// allows); data races on Plain; weak compare-exchanges that fail for no reason; loops that never end.
/// It cannot find: effects of a load that takes a value stored later by its own thread's consequences (load
/// buffering); stores of one word ordered otherwise than they are executed; a compare-exchange that fails because it
/// read an old value; races on plain variables that are not Plain; what needs more preemptions or stale reads than
/// the budget has.
///
/// Threads that wait must do so in a loop that calls kit::yield(). The code under test may be noexcept: its accesses
/// never throw; require() and yield() do.
#include <kit/schedule_memory.hpp>
#include <kit/schedule_run.hpp>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace kit {

/// Ends a thread whose run is over already.
struct Abandoned {};

/// Lets the others go on first. Call it in each loop that waits for them.
void yield();
/// What `attempt` gives once it gives something; the others go on first until then.
template <class Attempt>
auto until(Attempt attempt) {
  auto got = attempt();
  for (; !got; got = attempt()) {
    yield();
  }
  return got;
}
/// Fails the run with `sentence` unless it holds.
void require(bool holds, const char* sentence);

namespace schedule_bits {
template <class T>
std::uint64_t from(T value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
T to(std::uint64_t bits) noexcept {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
}  // namespace schedule_bits

/// Stands in for std::atomic<T>, of at most eight bytes.
template <class T>
  requires(std::is_trivially_copyable_v<T> && sizeof(T) <= 8)
class Atomic {
  using Order = std::memory_order;

 public:
  static constexpr bool is_always_lock_free = true;

  Atomic() noexcept : Atomic(T()) {}
  Atomic(T value) noexcept : word_(bits(value)) {}  // NOLINT(google-explicit-constructor): as std::atomic

  T load(Order order = Order::seq_cst) const noexcept { return value(word_.load(order)); }
  void store(T desired, Order order = Order::seq_cst) noexcept { word_.store(bits(desired), order); }
  T exchange(T desired, Order order = Order::seq_cst) noexcept {
    return modify([&](T) { return desired; }, order);
  }

  bool compare_exchange_strong(T& expected, T desired, Order order, Order failed) noexcept {
    const std::uint64_t wanted = bits(expected);
    const std::uint64_t found = word_.modify([&](std::uint64_t now) { return now == wanted; },
                                             [&](std::uint64_t) { return bits(desired); }, order, failed);
    expected = value(found);
    return found == wanted;
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = Order::seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, without_release(order));
  }
  bool compare_exchange_weak(T& expected, T desired, Order order, Order failed) noexcept {
    if (ScheduleRun* run = ScheduleRun::current(); run != nullptr && run->choose_stale(2) == 1) {
      return false;  // for no reason: `expected` stays as it was, as if it had been found
    }
    return compare_exchange_strong(expected, desired, order, failed);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = Order::seq_cst) noexcept {
    return compare_exchange_weak(expected, desired, order, without_release(order));
  }

  T fetch_add(T by, Order order = Order::seq_cst) noexcept {
    return modify([&](T now) { return static_cast<T>(now + by); }, order);
  }
  T fetch_sub(T by, Order order = Order::seq_cst) noexcept {
    return modify([&](T now) { return static_cast<T>(now - by); }, order);
  }
  T fetch_and(T with, Order order = Order::seq_cst) noexcept {
    return modify([&](T now) { return static_cast<T>(now & with); }, order);
  }
  T fetch_or(T with, Order order = Order::seq_cst) noexcept {
    return modify([&](T now) { return static_cast<T>(now | with); }, order);
  }
  T fetch_xor(T with, Order order = Order::seq_cst) noexcept {
    return modify([&](T now) { return static_cast<T>(now ^ with); }, order);
  }

 private:
  static std::uint64_t bits(T value) noexcept { return schedule_bits::from(value); }
  static T value(std::uint64_t bits) noexcept { return schedule_bits::to<T>(bits); }
  static constexpr Order without_release(Order order) noexcept {
    return order == Order::acq_rel ? Order::acquire : order == Order::release ? Order::relaxed : order;
  }
  template <class Change>
  T modify(Change change, Order order) noexcept {
    return value(word_.modify([](std::uint64_t) { return true; },
                              [&](std::uint64_t now) { return bits(change(value(now))); }, order, order));
  }

  Word word_;
};

/// std::atomic_thread_fence for code over Atomic; the word only chooses the function.
template <class T>
void thread_fence(const Atomic<T>&, std::memory_order order) noexcept {
  thread_fence_of_run(order);
}

/// A variable that is not atomic: accesses that no order keeps apart fail the run.
template <class T>
  requires(std::is_trivially_copyable_v<T> && sizeof(T) <= 8)
class Plain {
 public:
  explicit Plain(T value = T()) : word_(schedule_bits::from(value)) {}
  T read() const noexcept { return schedule_bits::to<T>(word_.read_plain()); }
  void write(T value) noexcept { word_.write_plain(schedule_bits::from(value)); }

 private:
  Word word_;
};

/// What is run: made afresh for each schedule, so that each begins from the same state.
struct Scenario {
  std::vector<std::function<void()>> threads;
  /// After all have ended; may require().
  std::function<void()> at_end = [] {};
};

struct ScheduleOptions {
  /// What a schedule may cost at most, when all are tried.
  std::size_t preemptions = 2;
  std::size_t stale_reads = 2;
  /// So many random schedules instead of all.
  std::size_t random_runs = 0;
  std::uint64_t seed = 1;
  /// Gives up after so many schedules; the report then says that not all were tried.
  std::size_t most_runs = 1'000'000;
  /// A thread that has yielded so often in one run never ends.
  std::size_t most_yields = 1000;
  /// One schedule alone, as a report printed it.
  std::string replay = {};
};

struct ScheduleReport {
  std::size_t runs = 0;
  /// All schedules within the budget were tried.
  bool exhaustive = false;
  /// The first failure, "" if there was none, and its schedule for ScheduleOptions::replay.
  std::string failure = {};
  std::string schedule = {};

  bool passed() const noexcept { return failure.empty(); }
  /// For a test's message.
  std::string message() const;
};

/// Runs the scenario under one schedule after the other until one fails.
ScheduleReport explore(const std::function<Scenario()>& make, const ScheduleOptions& options = {});

}  // namespace kit
