/* Nanoseconds of what one process does: alone call|clock|copy BYTES. */
#include "two.h"

#include <string.h>

enum { rounds = 101 };

static char from[1 << 22], to[(1 << 22) + 4096];

static void call(size_t bytes) {
  (void)bytes;
  syscall(SYS_getppid);
}

static void look_at_the_clock(size_t bytes) {
  struct timespec time;
  (void)bytes;
  clock_gettime(CLOCK_MONOTONIC, &time);
}

/* Not at the same place of a page: processors then take a load for one of what was just stored. */
static void copy(size_t bytes) {
  memcpy(to + 2048, from, bytes);
  asm volatile("" : : "r"(to) : "memory");
}

int main(int count, char** arguments) {
  if (count != 3) {
    return 2;
  }
  stay_on(0);
  const size_t bytes = (size_t)atol(arguments[2]);
  memset(from, 1, sizeof from);
  memset(to, 1, sizeof to);
  void (*const once)(size_t) = arguments[1][1] == 'a' ? call : arguments[1][1] == 'l' ? look_at_the_clock : copy;
  const int times = bytes > 100000 ? 20 : 2000;
  double figures[rounds];
  for (int round = 0; round < rounds; ++round) {
    const double start = now_ns();
    for (int i = 0; i < times; ++i) {
      once(bytes);
    }
    figures[round] = (now_ns() - start) / times;
  }
  printf("%.2f\n", median(figures, rounds));
}
