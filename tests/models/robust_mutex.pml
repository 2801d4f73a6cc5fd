/* Robust mutexes for the models of what is built from them, on the machine of store_buffer.pml. A locked instruction
 * takes one; when its holder dies, the kernel walks what it held, once all that it had stored has reached memory, and
 * marks each, so that the next holder is told. pthread_mutexattr_setrobust(3)
 *
 * Before including this, a model includes store_buffer.pml and defines MUTEXES, how many there are. Then
 *   LOCK(p, m, told)      waits until it is free; `told` is whether its last holder died
 *   TRY_LOCK(p, m, got, told)
 *   UNLOCK(p, m)
 *   REPAIRED(p, m)        as pthread_mutex_consistent(3): else it would be told again, and here for ever
 * and the model runs `run kernel(p)` for each process that may die. NOT_ROBUST: nobody walks.
 */
byte holder[MUTEXES];       /* 0: free, else the process's number and 1 */
bool owner_died[MUTEXES];
bool walked[PROCESSES];

#define LOCK(p, m, told) \
  d_step { stored[p] == 0 && holder[m] == 0 -> holder[m] = (p) + 1; told = owner_died[m] }
#define TRY_LOCK(p, m, got, told) \
  d_step { \
    stored[p] == 0 -> \
    if \
    :: holder[m] == 0 -> holder[m] = (p) + 1; told = owner_died[m]; got = true \
    :: else -> got = false \
    fi \
  }
#define REPAIRED(p, m) d_step { holder[m] == (p) + 1 -> owner_died[m] = false }
#define UNLOCK(p, m) d_step { stored[p] == 0 -> assert(holder[m] == (p) + 1); holder[m] = 0 }

proctype kernel(byte p) {
  byte m;
end:
  died[p] && stored[p] == 0;
#ifndef NOT_ROBUST
  d_step {
    m = 0;
    do
    :: m < MUTEXES ->
      if
      :: holder[m] == p + 1 -> holder[m] = 0; owner_died[m] = true
      :: else
      fi;
      m++
    :: else -> break
    od;
    m = 0
  }
#endif
  walked[p] = true
}
