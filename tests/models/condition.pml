/* Condition: a waiter that holds a mutex unlocks it, sleeps on the bell's word, and locks again; a notifier changes what
 * the mutex guards, and rings. sync/condition, sync/bell
 *
 * Ringing adds to the word and then looks whether anybody sleeps; sleeping counts oneself and then lets the kernel
 * compare the word. While nobody dies no wake-up is lost, without any recheck: `alive`. A notifier, or one of two
 * waiters, may die at any step: `dying` shows that the bounded recheck suffices, and that the dead waiter's count is in
 * nobody's way.
 *
 * check alive
 * check two -DTWO_CHANGES
 * check dying -DDYING -DRECHECK
 * check mourning -DDYING_WAITER
 * fault alive -DNO_FENCE_RINGER      the addition is still in the buffer when the sleepers are counted
 * fault alive -DNO_FENCE_SLEEPER     the count is still in the buffer when the kernel compares
 * fault alive -DSEEN_TOO_LATE        the word is read after the mutex was unlocked
 * fault alive -DNO_COMPARE           the kernel puts to sleep whom a ring has already passed
 * fault alive -DCOUNTED_ASLEEP       sleepers are counted after they slept
 * fault two -DTWO_CHANGES -DLEFT_LOCKED   the mutex is not locked again, and unlocked all the same
 * fault dying -DDYING                no recheck
 * fault dying -DDYING -DRECHECK -DNOT_ROBUST   a notifier that died holding the mutex
 * fault mourning -DDYING_WAITER -DEXACT_WAKE   the count of the dead passes for a sleeper, and one wake for all
 */
#define PROCESSES 3
#define WORDS 3
#define DEPTH 2
#define MUTEXES 1
#include "store_buffer.pml"
#include "robust_mutex.pml"

#define NOTIFIER 0
#define VALUE 0
#define RUNG 1
#define SLEEPERS 2

#ifdef TWO_CHANGES
#define WANTED 2
#else
#define WANTED 1
#endif

bool asleep[PROCESSES];
bool notifier_done;

/* FUTEX_WAKE of all. */
inline wake() {
  d_step {
    stored[NOTIFIER] == 0 ->
#ifdef EXACT_WAKE
    /* Wakes as many as were counted, and takes the first for one of them though it is dead. */
    if
    :: asleep[1] -> asleep[1] = false
    :: else -> asleep[2] = false
    fi
#else
    asleep[1] = false;
    asleep[2] = false
#endif
  }
}

/* FUTEX_WAIT: compared and put to sleep in one step; entering the kernel is a barrier, but not when it is taken away. */
inline futex_wait(p, expected) {
  if
#ifdef NO_COMPARE
  :: d_step { SYSTEM_CALL(p) -> asleep[p] = true }
#else
#ifdef NO_FENCE_SLEEPER
  :: d_step { memory[RUNG] == expected -> asleep[p] = true }
  :: d_step { memory[RUNG] != expected -> skip }
#else
  :: d_step { SYSTEM_CALL(p) && memory[RUNG] == expected -> asleep[p] = true }
  :: d_step { SYSTEM_CALL(p) && memory[RUNG] != expected -> skip }
#endif
#endif
  fi;
  if
  :: !asleep[p]
#ifdef RECHECK
  :: timeout -> asleep[p] = false
#endif
  /* A notifier that died before it changed anything: this sleep is right, and the model ends. */
  :: notifier_done && stored[NOTIFIER] == 0 && memory[VALUE] < WANTED && died[NOTIFIER] && walked[NOTIFIER] -> goto over
  fi
}

proctype notifier() {
  byte before, sleepers;
  bool told;
  byte count;
  {
    do
    :: count < WANTED ->
      count++;
      LOCK(NOTIFIER, 0, told);
      LOAD(NOTIFIER, VALUE, before);
      STORE(NOTIFIER, VALUE, before + 1);
      UNLOCK(NOTIFIER, 0);
#ifdef NO_FENCE_RINGER
      LOAD(NOTIFIER, RUNG, before);
      STORE(NOTIFIER, RUNG, before + 1);
#else
      ADD(NOTIFIER, RUNG, 1, before);
#endif
      LOAD(NOTIFIER, SLEEPERS, sleepers);
      if
      :: sleepers != 0 -> wake()
      :: else
      fi
    :: else -> break
    od
  } OR_DIES(NOTIFIER);
  notifier_done = true
}

inline count_in(p) {
#ifdef NO_FENCE_SLEEPER
  LOAD(p, SLEEPERS, before);
  STORE(p, SLEEPERS, before + 1)
#else
  ADD(p, SLEEPERS, 1, before)
#endif
}

proctype waiter(byte p) {
  byte seen, value, before;
  bool told;
  {
    LOCK(p, 0, told);
    REPAIRED(p, 0);
    do
    :: true ->
      LOAD(p, VALUE, value);
      if
      :: value >= WANTED -> break
      :: else
      fi;
#ifdef SEEN_TOO_LATE
      UNLOCK(p, 0);
      LOAD(p, RUNG, seen);
#else
      LOAD(p, RUNG, seen);
      UNLOCK(p, 0);
#endif
#ifndef COUNTED_ASLEEP
      count_in(p);
#endif
      futex_wait(p, seen);
#ifdef COUNTED_ASLEEP
      count_in(p);
#endif
      ADD(p, SLEEPERS, 255, before);  /* minus one */
#ifndef LEFT_LOCKED
      LOCK(p, 0, told);
      REPAIRED(p, 0)
#endif
    od;
    skip;
    UNLOCK(p, 0);
over:
    skip
  } OR_DIES(p)
}

init {
  atomic {
    run drain(0);
    run drain(1);
    run drain(2);
#ifdef DYING
    run killer(NOTIFIER);
    run kernel(NOTIFIER);
#endif
#ifdef DYING_WAITER
    run killer(1);
    run kernel(1);
#endif
    run notifier();
    run waiter(1);
    run waiter(2)
  }
}
