#pragma once
/// One loop after another, each between two marks that `count` sees. What a mechanism's calls are is a file of its own.
#include <valgrind/callgrind.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace calls {

inline void must(bool as_expected) {
  if (!as_expected) [[unlikely]] {
    std::abort();
  }
}

/// How often this program has allocated memory.
std::size_t allocations() noexcept;
/// A system call that fails at once, for strace to see where a loop begins and ends.
void mark(const std::string& text);

/// Counts a loop of `call`, named CALL/KIND/bare or CALL/KIND/wrapped. A first loop of one turn is not counted: it
/// resolves symbols, and makes a description non-blocking. The call stands at one place, so that the compiler makes it
/// part of the loop, as it would be of a program's.
template <class Call>
void measure(const std::string& name, int loops, Call call) {
  const std::string begin = "begin " + name;
  const std::string end = "end " + name;
  std::size_t before = 0;
  for (const int turns : {1, loops}) {
    before = allocations();
    mark(begin);
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < turns; ++i) {
      call();
    }
  }
  CALLGRIND_DUMP_STATS_AT(name.c_str());
  mark(end);
  std::printf("%s %zu\n", name.c_str(), allocations() - before);
}

void measure_semaphores(int loops);
void measure_memory(int loops);
void measure_sockets(int loops);
void measure_queues(int loops);

}  // namespace calls
