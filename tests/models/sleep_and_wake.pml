/* Sleeping on a futex word until there is news, and waking only if somebody sleeps.
 *
 * The publisher stores news (HEAD) and then looks at the bell once; if its sleep bit is set, it clears the bit and
 * wakes. The subscriber, when it has seen all news, sets the bit, looks at HEAD again, and sleeps in FUTEX_WAIT for as
 * long as the bell is as it left it. Both look at the other's word behind their own store, so each needs a barrier
 * between the two, or both look too early.
 *
 * While nobody dies, no wake-up is lost: `alive` has no recheck at all. A publisher that dies between its store and
 * its wake leaves the subscriber asleep with news in memory: `dying` shows that the bounded recheck suffices.
 *
 * check alive
 * check dying -DDYING -DRECHECK
 * fault alive -DNO_FENCE_PUBLISHER    the store is still in the buffer when the bell is read
 * fault alive -DNO_FENCE_SUBSCRIBER   the bit is still in the buffer when HEAD is read again
 * fault alive -DNO_SECOND_LOOK        news that came before the bit was set
 * fault alive -DNO_COMPARE            FUTEX_WAIT that does not compare: the wake came before the sleep
 * fault alive -DWAKE_THEN_CLEAR       the wake finds nobody, then the bit is cleared under a sleeper
 * fault dying -DDYING                 no recheck
 */
#define PROCESSES 2
#define WORDS 2
#define DEPTH 2
#include "store_buffer.pml"

#define PUBLISHER 0
#define SUBSCRIBER 1
#define HEAD 0
#define BELL 1
#define NEWS 2

bool asleep;
bool publisher_done;

/* FUTEX_WAKE: the kernel takes the hash bucket's lock, so it is one step. */
inline wake() {
  SYSTEM_CALL(PUBLISHER);
  asleep = false
}

/* FUTEX_WAIT: compared and put to sleep under the same lock. */
inline futex_wait(expected) {
  SYSTEM_CALL(SUBSCRIBER);
#ifdef NO_COMPARE
  asleep = true;
#else
  if
  :: d_step { memory[BELL] == expected -> asleep = true }
  :: d_step { memory[BELL] != expected -> skip }
  fi;
#endif
  if
  :: !asleep
#ifdef RECHECK
  :: timeout -> asleep = false
#endif
  /* Nothing to come: this sleep is right, and the model ends. */
  :: publisher_done && stored[PUBLISHER] == 0 && memory[HEAD] == seen -> goto over
  fi
}

proctype publisher() {
  byte bell, count;
  {
    do
    :: count < NEWS ->
      count++;
      STORE(PUBLISHER, HEAD, count);
#ifndef NO_FENCE_PUBLISHER
      FENCE(PUBLISHER);
#endif
      LOAD(PUBLISHER, BELL, bell);
      if
      :: bell != 0 ->
#ifdef WAKE_THEN_CLEAR
        wake();
        EXCHANGE(PUBLISHER, BELL, 0, bell)
#else
        EXCHANGE(PUBLISHER, BELL, 0, bell);
        wake()
#endif
      :: else
      fi
    :: else -> break
    od
  } OR_DIES(PUBLISHER);
  publisher_done = true
}

proctype subscriber() {
  byte seen, head;
  do
  :: seen == NEWS -> break
  :: else ->
    LOAD(SUBSCRIBER, HEAD, head);
    if
    :: head != seen -> seen = head
    :: else ->
      STORE(SUBSCRIBER, BELL, 1);
#ifndef NO_FENCE_SUBSCRIBER
      FENCE(SUBSCRIBER);
#endif
#ifndef NO_SECOND_LOOK
      LOAD(SUBSCRIBER, HEAD, head);
#endif
      if
      :: head != seen -> seen = head
      :: else -> futex_wait(1)
      fi
    fi
  od;
over:
  /* It has seen all there is to see. */
  assert(seen == memory[HEAD] || stored[PUBLISHER] > 0)
}

init {
  atomic {
    run drain(PUBLISHER);
    run drain(SUBSCRIBER);
#ifdef DYING
    run killer(PUBLISHER);
#endif
    run publisher();
    run subscriber()
  }
}
