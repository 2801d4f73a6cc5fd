/* Nanoseconds for a cache line to go from processor 0 to 1 and back. */
#include "two.h"

enum { rounds = 101, trips = 2000 };

int main(void) {
  _Atomic uint64_t* word = shared_memory(4096);
  const pid_t child = second_process();
  stay_on(child == 0 ? 1 : 0);
  if (child == 0) {
    for (uint64_t at = 1;; at += 2) {
      while (atomic_load_explicit(word, memory_order_acquire) != at) {
      }
      atomic_store_explicit(word, at + 1, memory_order_release);
    }
  }
  double figures[rounds];
  uint64_t at = 0;
  for (int round = 0; round < rounds; ++round) {
    const double start = now_ns();
    for (int trip = 0; trip < trips; ++trip, at += 2) {
      atomic_store_explicit(word, at + 1, memory_order_release);
      while (atomic_load_explicit(word, memory_order_acquire) != at + 2) {
      }
    }
    figures[round] = (now_ns() - start) / trips;
  }
  end(child);
  printf("%.2f\n", median(figures, rounds));
}
