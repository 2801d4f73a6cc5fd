/* Semaphore with one permit: a slot that is free or holds its holder's token, a bell for those who wait, and whoever
 * waits looks whether the holder is dead, and takes the permit back from it. sync/semaphore, sync/bell
 *
 * Three members each want the permit once. While nobody dies no wake-up is lost, without any recheck: `living`. The
 * first may die at any step: `dying` shows that with the recheck the living all get the permit, one at a time.
 *
 * check living
 * check dying -DDYING -DRECHECK
 * fault living -DNO_FENCE_RINGER       the addition is still in the buffer when the sleepers are counted
 * fault living -DNO_FENCE_SLEEPER      the count is still in the buffer when the kernel compares
 * fault living -DSEEN_TOO_LATE         the bell's word is read after the look at the slot
 * fault dying -DDYING                  no recheck
 * fault dying -DDYING -DRECHECK -DNOT_TAKEN_BACK
 * fault dying -DDYING -DRECHECK -DNOBODY_ASKED    whoever holds it is taken for dead
 * fault dying -DDYING -DRECHECK -DNOT_COMPARED    taken back without looking who holds it by now
 * fault dying -DDYING -DRECHECK -DCOUNTED         a count is taken from, and who took is noted behind that
 */
#define PROCESSES 3
#define WORDS 3
#define DEPTH 2
#include "store_buffer.pml"

#define SLOT 0
#define RUNG 1
#define SLEEPERS 2

bool asleep[PROCESSES];
bool inside[PROCESSES];
#ifdef COUNTED
bool taken;
#endif

/* A locked exchange if the slot is as expected. */
inline compare_exchange(p, expected, wanted, done) {
  d_step {
    stored[p] == 0 ->
    if
    :: memory[SLOT] == (expected) -> memory[SLOT] = (wanted); done = true
    :: else -> done = false
    fi
  }
}

/* FUTEX_WAKE of one: of those who sleep, any; one that is dead sleeps no more. */
inline wake_one() {
  if
  :: d_step { stored[p] == 0 && asleep[0] && !died[0] -> asleep[0] = false }
  :: d_step { stored[p] == 0 && asleep[1] && !died[1] -> asleep[1] = false }
  :: d_step { stored[p] == 0 && asleep[2] -> asleep[2] = false }
  :: d_step { stored[p] == 0 && (!asleep[0] || died[0]) && (!asleep[1] || died[1]) && !asleep[2] -> skip }
  fi
}

inline ring() {
#ifdef NO_FENCE_RINGER
  LOAD(p, RUNG, before);
  STORE(p, RUNG, before + 1);
#else
  ADD(p, RUNG, 1, before);
#endif
  LOAD(p, SLEEPERS, sleepers);
  if
  :: sleepers != 0 -> wake_one()
  :: else
  fi
}

inline sleep() {
#ifdef NO_FENCE_SLEEPER
  LOAD(p, SLEEPERS, before);
  STORE(p, SLEEPERS, before + 1);
  if
  :: d_step { memory[RUNG] == seen -> asleep[p] = true }
  :: d_step { memory[RUNG] != seen -> skip }
  fi;
#else
  ADD(p, SLEEPERS, 1, before);
  if
  :: d_step { SYSTEM_CALL(p) && memory[RUNG] == seen -> asleep[p] = true }
  :: d_step { SYSTEM_CALL(p) && memory[RUNG] != seen -> skip }
  fi;
#endif
  if
  :: !asleep[p]
#ifdef RECHECK
  /* When nothing else can happen any more; nobody rechecks in vain for ever. */
  :: timeout -> d_step { asleep[p] = false; rechecks++; assert(rechecks < 4) }
  /* Once, whenever it comes. */
  :: d_step { !early -> early = true; asleep[p] = false }
#endif
  fi;
  ADD(p, SLEEPERS, 255, before)  /* minus one */
}

inline take_back() {
  LOAD(p, SLOT, held);
  if
#ifdef NOBODY_ASKED
  :: held != 0 ->
#else
  :: held != 0 && died[held - 1] && stored[held - 1] == 0 ->
#endif
#ifdef NOT_COMPARED
    EXCHANGE(p, SLOT, 0, before);
    ring()
#else
    compare_exchange(p, held, 0, done);
    if
    :: done -> ring()
    :: else
    fi
#endif
  :: else
  fi
}

inline take() {
#ifdef COUNTED
  d_step { done = !taken; taken = true };
  if
  :: done -> STORE(p, SLOT, p + 1)
  :: else
  fi
#else
  compare_exchange(p, 0, p + 1, done)
#endif
}

inline give_back() {
#ifdef COUNTED
  STORE(p, SLOT, 0);
  d_step { stored[p] == 0 -> taken = false; done = true };
#else
  compare_exchange(p, p + 1, 0, done);
#endif
  if
  :: done -> ring()
  :: else
  fi
}

proctype member(byte p) {
  byte seen, before, sleepers, held, rechecks;
  bool done, early;
  {
    do
    :: true ->
#ifndef SEEN_TOO_LATE
      LOAD(p, RUNG, seen);
#endif
      take();
      if
      :: done -> break
      :: else
      fi;
#ifdef SEEN_TOO_LATE
      LOAD(p, RUNG, seen);
#endif
      sleep();
#if defined(DYING) && !defined(NOT_TAKEN_BACK)
      take_back()
#endif
    od;
    skip;
    d_step {
      inside[p] = true;
      assert(!inside[(p + 1) % 3] || died[(p + 1) % 3]);
      assert(!inside[(p + 2) % 3] || died[(p + 2) % 3])
    };
    inside[p] = false;
    give_back()
  } OR_DIES(p)
}

init {
  atomic {
    run drain(0);
    run drain(1);
    run drain(2);
#ifdef DYING
    run killer(0);
#endif
    run member(0);
    run member(1);
    run member(2)
  }
}
