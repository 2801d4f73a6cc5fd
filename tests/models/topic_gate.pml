/* A topic's reliable subscriber that joins while the publisher runs: what it starts at is not overwritten before it is
 * waited for. messaging/topic/gate_scan
 *
 * A ring of two entries, depth two; the publisher scans the gates when it has come to its limit, and publishes up to the
 * next one without looking. The subscriber makes itself visible, looks for the head, sets its gate there, and reads
 * everything from there on: nothing may be missing. Either may die at any step; the publisher goes on once it has seen
 * that the subscriber is dead, and a subscriber whose publisher died reads what there is.
 *
 * check alive
 * check dying -DDYING
 * fault alive -DNO_FENCE_JOINER      it looks for the head while its own name is still in the buffer
 * fault alive -DNO_FENCE_PUBLISHER   the publisher looks who is there while its messages are still in the buffer
 * fault alive -DHEAD_BEFORE_JOINING  the head is looked for before the name is visible
 * fault alive -DNEWCOMER_AT_HEAD      who has no row yet is taken to stand at the head of the scan that met it
 * fault alive -DNO_ROW_NO_GATE        who has no row yet is not waited for
 * fault alive -DTWICE_THE_DEPTH      the limit is beyond what was scanned
 * fault alive -DGATE_BEFORE_READING  the gate is passed before the message is read
 * fault dying -DDYING -DDEAD_KEPT    a dead subscriber is waited for
 */
#define PROCESSES 2
#define WORDS 4
#define DEPTH 3
#include "store_buffer.pml"

#define PUBLISHER 0
#define SUBSCRIBER 1
#define ENTRY 0    /* two of them: the number of the message that is there, + 1 */
#define VISIBLE 2
#define GATE 3     /* 0: no row yet; else the gate + 1 */
#define SLOTS 2
#define MESSAGES 5

#ifdef TWICE_THE_DEPTH
#define AHEAD (2 * SLOTS)
#else
#define AHEAD SLOTS
#endif
#ifdef DEAD_KEPT
#define GONE false
#else
#define GONE died[SUBSCRIBER]
#endif

bool publisher_done;

/* Where the subscriber stands, as the scan at `message` finds it. */
inline find_stand() {
#ifndef NO_FENCE_PUBLISHER
  FENCE(PUBLISHER);
#endif
  LOAD(PUBLISHER, VISIBLE, visible);
  LOAD(PUBLISHER, GATE, gate);
  if
  :: !visible || GONE -> stand = message
  :: visible && !GONE && gate != 0 -> stand = gate - 1
  :: visible && !GONE && gate == 0 ->
#ifdef NO_ROW_NO_GATE
    stand = message
#else
    if
#ifdef NEWCOMER_AT_HEAD
    :: newcomer == 255 -> newcomer = message
#else
    :: newcomer == 255 -> newcomer = scanned
#endif
    :: else
    fi;
    stand = newcomer
#endif
  fi;
  scanned = message;
  limit = stand + AHEAD
}

proctype publisher() {
  byte message, limit, scanned, stand, gate, visible;
  byte newcomer = 255;
  {
    do
    :: message == MESSAGES -> break
    :: message < MESSAGES && message >= limit ->
      find_stand();
      if
      :: message >= limit -> memory[GATE] != gate || GONE
      :: else
      fi
    :: message < MESSAGES && message < limit ->
      STORE(PUBLISHER, ENTRY + message % SLOTS, message + 1);
      message++
    od
  } OR_DIES(PUBLISHER);
  publisher_done = true
}

inline find_head() {
  do
  :: true ->
    LOAD(SUBSCRIBER, ENTRY + next % SLOTS, number);
    if
    :: number > next -> next++
    :: else -> break
    fi
  od;
  skip
}

proctype subscriber() {
  byte next, number;
  {
#ifdef HEAD_BEFORE_JOINING
    find_head();
#endif
    STORE(SUBSCRIBER, VISIBLE, 1);
#ifndef NO_FENCE_JOINER
    FENCE(SUBSCRIBER);
#endif
#ifndef HEAD_BEFORE_JOINING
    find_head();
#endif
    STORE(SUBSCRIBER, GATE, next + 1);
    do
    :: next == MESSAGES -> break
    :: else ->
      memory[ENTRY + next % SLOTS] > next || publisher_done && stored[PUBLISHER] == 0;
#ifdef GATE_BEFORE_READING
      STORE(SUBSCRIBER, GATE, next + 2);
#endif
      LOAD(SUBSCRIBER, ENTRY + next % SLOTS, number);
      if
      :: number <= next -> break  /* the publisher has died */
      :: else
      fi;
      assert(number == next + 1);
      next++;
#ifndef GATE_BEFORE_READING
      STORE(SUBSCRIBER, GATE, next + 1)
#endif
    od;
    assert(next == MESSAGES || died[PUBLISHER])
  } OR_DIES(SUBSCRIBER)
}

init {
  atomic {
    run drain(PUBLISHER);
    run drain(SUBSCRIBER);
#ifdef DYING
    run killer(PUBLISHER);
    run killer(SUBSCRIBER);
#endif
    run publisher();
    run subscriber()
  }
}
