/* A topic's bell: two publishers that look at it behind their message without a barrier, and two subscribers that sleep.
 * messaging/topic/topic_bell
 *
 * A sleeper announces itself, has every publisher pass a barrier (membarrier(2)), looks at all heads again, and sleeps
 * for as long as the bell is what announcing told it. A publisher whose barrier cannot be had so fences instead
 * (`fencing`). The bell only ever grows: its lowest bit says that somebody sleeps, and silencing it adds one. While
 * nobody dies, no wake-up is lost, with no recheck at all; where a publisher dies between its message and its wake,
 * the bounded recheck suffices: `dying`.
 *
 * check alive
 * check fencing -DFENCING
 * check dying -DDYING -DRECHECK -DONE_SUBSCRIBER
 * long check dying -DDYING -DRECHECK
 * fault alive -DNO_MEMBARRIER        the message is still in the buffer when the bell is read
 * fault fencing -DFENCING -DNO_FENCE the same, of a publisher that has to fence
 * fault alive -DNO_SECOND_LOOK       a message that came before the announcement
 * fault alive -DNO_COMPARE           the kernel puts to sleep whom a wake has already passed
 * fault alive -DWAKE_THEN_SILENCE    the wake finds nobody, then the bell is silenced under a sleeper
 * fault dying -DDYING                no recheck
 */
#define PROCESSES 4
#define WORDS 3
#define DEPTH 1
#include "store_buffer.pml"

/* Publishers are 0 and 1, and so are their heads; subscribers are 2 and 3. */
#define BELL 2
#define ASLEEP(value) ((value) % 2 == 1)

bool asleep[PROCESSES];
bool done[PROCESSES];

/* All that is to be published is there, and nobody will wake any more. */
#define OVER(p) ((done[p] || died[p]) && stored[p] == 0)

inline wake() {
  d_step {
    stored[p] == 0 ->
    asleep[2] = false;
    asleep[3] = false
  }
}

/* Two looks: at whether somebody sleeps, and at what is to be exchanged. */
inline silence() {
  LOAD(p, BELL, bell);
  d_step {
    stored[p] == 0 ->
    if
    :: ASLEEP(bell) && memory[BELL] == bell -> memory[BELL] = bell + 1
    :: else
    fi
  }
}

proctype publisher(byte p) {
  byte bell;
  {
    STORE(p, p, 1);
#ifdef FENCING
#ifndef NO_FENCE
    FENCE(p);
#endif
#endif
    LOAD(p, BELL, bell);
    if
    :: ASLEEP(bell) ->
#ifdef WAKE_THEN_SILENCE
      wake();
      silence()
#else
      silence();
      wake()
#endif
    :: else
    fi
  } OR_DIES(p);
  done[p] = true
}

/* Each publisher passes a barrier at some moment during the call; no matter whether it has died. */
inline membarrier() {
#ifndef FENCING
#ifndef NO_MEMBARRIER
  FENCE(0);
  FENCE(1);
#endif
#endif
  FENCE(p)
}

inline look() {
  LOAD(p, 0, head);
  news = head != of_first;
  of_first = head;
  LOAD(p, 1, head);
  news = news || head != of_other;
  of_other = head
}

/* Compared and put to sleep in one step. */
inline futex_wait() {
#ifdef NO_COMPARE
  d_step { SYSTEM_CALL(p) -> asleep[p] = true };
#else
  if
  :: d_step { SYSTEM_CALL(p) && memory[BELL] == bell -> asleep[p] = true }
  :: d_step { SYSTEM_CALL(p) && memory[BELL] != bell -> skip }
  fi;
#endif
  if
  :: !asleep[p]
#ifdef RECHECK
  :: timeout -> asleep[p] = false
#endif
  /* Nothing to come: this sleep is right. */
  :: OVER(0) && OVER(1) && memory[0] == of_first && memory[1] == of_other -> goto over
  fi
}

proctype subscriber(byte p) {
  byte of_first, of_other, head, bell;
  bool news;
  do
  :: of_first == 1 && of_other == 1 -> break
  :: else ->
    look();
    if
    :: news
    :: else ->
      d_step { stored[p] == 0 -> memory[BELL] = memory[BELL] + (ASLEEP(memory[BELL]) -> 0 : 1); bell = memory[BELL] };
      membarrier();
#ifndef NO_SECOND_LOOK
      look();
#endif
      if
      :: news
      :: else -> futex_wait()
      fi
    fi
  od;
over:
  skip
}

init {
  atomic {
    run drain(0);
    run drain(1);
#ifdef DYING
    run killer(0);
    run killer(1);
#endif
    run publisher(0);
    run publisher(1);
    run subscriber(2)
#ifndef ONE_SUBSCRIBER
    ;
    run subscriber(3)
#endif
  }
}
