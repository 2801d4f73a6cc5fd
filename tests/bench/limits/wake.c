/* Nanoseconds for two processes to wake each other, each asleep before: wake futex|eventfd OTHER_PROCESSOR. Where they
   have a processor each, one waits 40 microseconds before it wakes the other, which is left out. */
#include "two.h"

#include <string.h>

enum { trips = 801 };

static _Atomic uint32_t* words;
static int events[2];
static int by_futex;

static void tell(int side, uint32_t number) {
  if (by_futex) {
    atomic_store(&words[16 * side], number);
    syscall(SYS_futex, &words[16 * side], FUTEX_WAKE, 1, NULL, NULL, 0);
  } else {
    const uint64_t one = 1;
    if (write(events[side], &one, sizeof one) != sizeof one) {
      exit(1);
    }
  }
}

static void await(int side, uint32_t number) {
  if (by_futex) {
    while (atomic_load(&words[16 * side]) != number) {
      syscall(SYS_futex, &words[16 * side], FUTEX_WAIT, number - 1, NULL, NULL, 0);
    }
  } else {
    uint64_t got;
    if (read(events[side], &got, sizeof got) != sizeof got) {
      exit(1);
    }
  }
}

static double let_sleep(int apart) {
  const double start = now_ns();
  while (apart && now_ns() - start < 40000) {
  }
  return now_ns() - start;
}

int main(int count, char** arguments) {
  if (count != 3) {
    return 2;
  }
  by_futex = strcmp(arguments[1], "futex") == 0;
  const int other = atoi(arguments[2]);
  double* waited = shared_memory(4096);
  words = (_Atomic uint32_t*)((char*)waited + 1024);
  events[0] = eventfd(0, 0);
  events[1] = eventfd(0, 0);
  const pid_t child = second_process();
  stay_on(child == 0 ? other : 0);
  if (child == 0) {
    for (uint32_t at = 1;; ++at) {
      await(0, at);
      *waited = let_sleep(other != 0);
      tell(1, at);
    }
  }
  double figures[trips];
  for (uint32_t at = 1; at <= trips; ++at) {
    const double own = let_sleep(other != 0);
    const double start = now_ns();
    tell(0, at);
    await(1, at);
    figures[at - 1] = now_ns() - start - *waited;
    (void)own;
  }
  end(child);
  printf("%.2f\n", median(figures, trips));
}
