/* Whether a queue seems filled, without its lock: who is told that it is empty was told of a moment during the call at
 * which nothing was there that had been sent and that nobody was taking. messaging/queue/queue_slots, seems_filled()
 *
 * A sender sends three messages; a receiver moves hints into the heap, where `drains` is odd meanwhile, and takes one of
 * it, and gives one back once; somebody asks. The receiver's stores wait in a buffer: the counts are stored, not locked.
 *
 * check living
 * fault living -DNOT_ODD             what is on its way from the hints to the heap is in neither
 * fault living -DNOT_COUNTED         `drains` is as odd as before, and not another number afterwards
 * fault living -DNOT_READ_AGAIN      it moved between the look at the hints and that at the heap
 * fault living -DEVEN_TOO_EARLY      even before all of it is in the heap
 * fault living -DODD_UNFENCED        the hints are taken while the odd number is still in the buffer
 */
#define PROCESSES 1
#define WORDS 2
#define DEPTH 3
#include "store_buffer.pml"

#define MESSAGES 3
#define RECEIVER 0
#define DRAINS 0
#define QUEUED 1

byte hints;    /* how many are sent and hinted at */
byte unsettled; /* sent or given back by calls that have returned, and chosen by nobody */
bool asking, was_empty;

inline notice() {
  if
  :: asking && unsettled == 0 -> was_empty = true
  :: else
  fi
}

proctype sender() {
  byte n;
  do
  :: n < MESSAGES -> d_step { hints++; unsettled++; n++ }
  :: n == MESSAGES -> break
  od
}

#define BUFFER(word, value) STORE(RECEIVER, word, value)

inline drain_hints() {
#ifdef NOT_ODD
  skip;
#else
  BUFFER(DRAINS, drains + 1);
#endif
#ifdef ODD_UNFENCED
  d_step { got = hints; hints = 0 };
#else
  d_step { stored[RECEIVER] == 0 -> got = hints; hints = 0 };
#endif
#ifdef EVEN_TOO_EARLY
  drains = drains + 2;
  BUFFER(DRAINS, drains);
#endif
  do
  :: got > 0 -> d_step { stored[RECEIVER] < DEPTH -> got--; queued++ }; BUFFER(QUEUED, queued)
  :: got == 0 -> break
  od;
  skip;
#ifndef EVEN_TOO_EARLY
#ifdef NOT_COUNTED
  BUFFER(DRAINS, drains)
#else
#ifndef NOT_ODD
  drains = drains + 2;
  BUFFER(DRAINS, drains)
#endif
#endif
#endif
}

/* Of what is in the heap when no hint is left, one is as good as taken. */
proctype receiver() {
  byte drains, queued, got, taken;
  bool gave_back;
  do
  :: taken < MESSAGES && (hints > 0 || queued > 0) ->
    drain_hints();
    do
    :: d_step { hints == 0 && queued > 0 -> unsettled--; notice() }; break
    :: hints > 0 -> drain_hints()
    od;
    skip;
    d_step { stored[RECEIVER] < DEPTH -> queued-- };
    BUFFER(QUEUED, queued);
    FENCE(RECEIVER);  /* unlocked */
    taken++;
    if
    :: !gave_back -> d_step { gave_back = true; taken--; queued++ };
      BUFFER(QUEUED, queued);
      d_step { stored[RECEIVER] == 0 -> unsettled++ }  /* unlocked, and given back from now on */
    :: skip
    fi
  :: taken == MESSAGES -> break
  od
}

proctype asker() {
  byte before, heap, after;
  bool seen;
  do
  :: d_step { asking = true; was_empty = unsettled == 0 };
    before = memory[DRAINS];
    seen = hints > 0;
    heap = memory[QUEUED];
    after = memory[DRAINS];
#ifdef NOT_READ_AGAIN
    after = before;
#endif
    d_step {
      assert(before % 2 == 1 || seen || heap > 0 || after != before || was_empty);
      asking = false;
      was_empty = false;
      before = 0;
      heap = 0;
      after = 0;
      seen = false
    }
  :: break
  od
}

init {
  atomic {
    run drain(RECEIVER);
    run sender();
    run receiver();
    run asker()
  }
}
