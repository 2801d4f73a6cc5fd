/* A queue's bell, of which each message wakes one: receivers that sleep, and senders that wake one of them.
 * messaging/queue/queue_bell, queue_port
 *
 * A sleeper sets the bit, looks again, and sleeps while the word is what it then was; a ringer that sees the bit changes
 * the word, leaves the bit to those whom it does not wake, and wakes one. Only where there was nobody to wake it clears
 * the bit, and wakes all that may have come meanwhile. While nobody dies each message is taken, with no recheck at all,
 * by one who is awake or is woken: `living`. One that was woken may die before it takes what it was woken for, and
 * nobody else is woken for that: there the bounded recheck is needed, and suffices: `dying`, and its fault.
 *
 * check living
 * check dying -DDYING -DRECHECK -DONE_MESSAGE
 * long check dying -DDYING -DRECHECK
 * fault dying -DDYING -DONE_MESSAGE   nobody looks again
 * fault living -DCLEARED_AT_ONCE     the bit is cleared with a wake for one
 * fault living -DCLEARED_UNWOKEN     the bit is cleared for want of sleepers, and who came meanwhile is not woken
 * fault living -DNO_SECOND_LOOK      a message that came before the bit
 * fault living -DNO_COMPARE          the kernel puts to sleep whom a wake has already passed
 * fault living -DUNFENCED_NEWS       the message is still in the buffer when the bell is looked at
 * fault living -DUNFENCED_SLEEPER    the bit is still in the buffer when the message is looked for
 * fault living -DRUNG_FIRST          the bell is rung before the message is there
 */
#define PROCESSES 4
#define WORDS 2
#define DEPTH 1
#include "store_buffer.pml"

/* Ringers are 0 and 1, sleepers 2 and 3. */
#define MESSAGES 0
#define BELL 1
#define ASLEEP(value) ((value) % 2 == 1)

bool asleep[PROCESSES];
bool done[PROCESSES];
byte taken;

#define SLEEPS(q) (asleep[q] && !died[q])
#define OVER(p) (done[p] && stored[p] == 0)
#ifdef ONE_MESSAGE
#define RINGERS 1
#else
#define RINGERS 2
#endif
#define ALL_TAKEN (taken == RINGERS)

/* FUTEX_WAKE of one: of those who sleep, any. `woken` is how many. */
inline wake_one() {
  if
  :: d_step { stored[p] == 0 && SLEEPS(2) -> asleep[2] = false; woken = 1 }
  :: d_step { stored[p] == 0 && SLEEPS(3) -> asleep[3] = false; woken = 1 }
  :: d_step { stored[p] == 0 && !SLEEPS(2) && !SLEEPS(3) -> woken = 0 }
  fi
}
inline wake_all() {
  d_step { stored[p] == 0 -> asleep[2] = false; asleep[3] = false }
}
inline change_bell(by) {
  d_step {
    stored[p] == 0 ->
    if
    :: memory[BELL] == seen -> memory[BELL] = seen + by
    :: else
    fi
  }
}

inline ring_one() {
  LOAD(p, BELL, seen);
  if
  :: ASLEEP(seen) ->
#ifdef CLEARED_AT_ONCE
    change_bell(1);
    wake_one()
#else
    change_bell(2);
    wake_one();
    if
    :: woken == 0 ->
      LOAD(p, BELL, seen);
      if
#ifdef CLEARED_UNWOKEN
      :: ASLEEP(seen) -> change_bell(1)
#else
      :: ASLEEP(seen) -> change_bell(1); wake_all()
#endif
      :: else
      fi
    :: else
    fi
#endif
  :: else
  fi
}

inline send() {
#ifdef UNFENCED_NEWS
  LOAD(p, MESSAGES, seen);
  STORE(p, MESSAGES, seen + 1)
#else
  ADD(p, MESSAGES, 1, seen)
#endif
}

proctype ringer(byte p) {
  byte seen, woken;
#ifdef RUNG_FIRST
  ring_one();
  send();
#else
  send();
  ring_one();
#endif
  done[p] = true
}

inline take() {
  LOAD(p, MESSAGES, seen);
  if
  :: seen == 0 -> got = false
  :: else ->
    d_step {
      stored[p] == 0 ->
      got = memory[MESSAGES] > 0;
      if
      :: got -> memory[MESSAGES] = memory[MESSAGES] - 1; taken++
      :: else
      fi
    }
  fi
}

inline announce() {
#ifdef UNFENCED_SLEEPER
  LOAD(p, BELL, told);
  told = told + (ASLEEP(told) -> 0 : 1);
  STORE(p, BELL, told)
#else
  d_step { stored[p] == 0 -> told = memory[BELL] + (ASLEEP(memory[BELL]) -> 0 : 1); memory[BELL] = told }
#endif
}

/* Compared and put to sleep in one step. */
inline futex_wait() {
#ifdef NO_COMPARE
  d_step { SYSTEM_CALL(p) -> asleep[p] = true };
#else
  if
  :: d_step { SYSTEM_CALL(p) && memory[BELL] == told -> asleep[p] = true }
  :: d_step { SYSTEM_CALL(p) && memory[BELL] != told -> skip }
  fi;
#endif
  if
  :: !asleep[p]
#ifdef RECHECK
  :: timeout -> asleep[p] = false
#endif
  /* Nothing to come: this sleep is right. */
  :: OVER(0) && OVER(RINGERS - 1) && ALL_TAKEN -> goto over
  fi
}

/* Takes one and has work with it, or takes whatever another leaves that may die. */
#ifdef DYING
#define SATISFIED ALL_TAKEN
#else
#define SATISFIED got
#endif
proctype sleeper(byte p) {
  byte seen, told;
  bool got;
  {
    do
    :: SATISFIED -> break
    :: else ->
      announce();
#ifndef NO_SECOND_LOOK
      take();
#endif
      if
      :: got
      :: else -> futex_wait()
      fi;
#ifdef NO_SECOND_LOOK
      take()
#else
      d_step { seen = 0; told = 0 }
#endif
    od;
over:
    skip
  } OR_DIES(p)
}

init {
  atomic {
    run drain(0);
    run drain(1);
    run drain(2);
    run drain(3);
#ifdef DYING
    run killer(2);
#endif
    run ringer(0);
#ifndef ONE_MESSAGE
    run ringer(1);
#endif
    run sleeper(2);
    run sleeper(3)
  }
}
