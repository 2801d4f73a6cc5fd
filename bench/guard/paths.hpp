#pragma once
/// The hot paths, each done so many times and twice as many times, between marks that callgrind sees: the difference is
/// what the operations alone cost. One process and one thread take both parts, first the one and then the other, so
/// nobody ever waits and each operation takes the same way.
#include <guard/standing_clock.hpp>

#include <valgrind/callgrind.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace guard {

inline void must(bool as_expected) {
  if (!as_expected) [[unlikely]] {
    std::abort();
  }
}

class Paths {
 public:
  /// Without names all paths are done.
  Paths(int operations, std::vector<std::string> names) : operations_(operations), names_(std::move(names)) {}

  /// Counts `operation`, which must leave everything as it was. It stands at one place, so that the compiler makes it
  /// part of the loop, as it would be of a program's. `way` is what this machine's kernel makes it do, where that
  /// differs: only figures of one way are compared.
  template <class Operation>
  void count(const std::string& name, Operation operation, const std::string& way = {}) {
    if (!is_asked_for(name)) {
      return;
    }
    const std::string full_name = way.empty() ? name : name + " [" + way + "]";
#ifdef TENON_GUARD_SLOWED
    if (name == TENON_GUARD_SLOWED) {
      return count_both(full_name, [&] {
        operation();
        asm volatile(".rept 8\n nop\n .endr");
      });
    }
#endif
    count_both(full_name, std::move(operation));
  }

 private:
  // What a first call does alone: it maps, makes a description non-blocking, and goes around a ring. Who finds a file
  // that is as young as its clock's last step looks at it once more after that has stepped, and be it the next time
  // round.
  static constexpr int before_counting = 3000;
  static void await_clock();

  template <class Operation>
  void count_both(const std::string& name, Operation operation) {
    repeat(before_counting, operation);
    await_clock();
    const StandingClock clock;
    repeat(before_counting, operation);
    // Each part ends in a dump, which begins to count anew: CALLGRIND_ZERO_STATS leaves some of what went before.
    dump("0 " + name);
    repeat(operations_, operation);
    dump("1 " + name);
    repeat(2 * operations_, operation);
    dump("2 " + name);
  }

  static void dump(const std::string& mark) { CALLGRIND_DUMP_STATS_AT(mark.c_str()); }

  template <class Operation>
  [[gnu::noinline]] static void repeat(int times, Operation& operation) {
    for (int i = 0; i < times; ++i) {
      operation();
    }
  }

  bool is_asked_for(const std::string& name) const {
    for (const std::string& part : names_) {
      if (name.find(part) != std::string::npos) {
        return true;
      }
    }
    return names_.empty();
  }

  int operations_;
  std::vector<std::string> names_;
};

}  // namespace guard
