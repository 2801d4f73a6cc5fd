/* A queue's slots, and all that is made from them: what was sent is received once, in order, whoever dies where.
 * messaging/queue/queue_slots
 *
 * Senders claim a slot by its state, write, draw a number and make it ready without a lock; receivers order what is
 * ready and take the first under a robust lock, read it, and free the slot. What is ready and what is free is found by
 * hints alone. Whoever is mortal may die at any step, also of rebuilding and of taking back what another had; the last
 * receiver lives, and takes back what the dead had once their deaths are final. At each taking nothing is there whose
 * sending was over when that of the taken one began; at the end each message that was sent was delivered once and whole,
 * and each slot is free and has its hint. A buffer holds what a sender writes; what is stored under the lock is seen by
 * who has it next, and by nobody before.
 *
 * check living
 * check one_slot -DSLOTS=1
 * check order -DAPART               as where there are so many slots that their hints stand in several words
 * check sender -DMORTAL=1 -DRECEIVERS=1
 * check receiver -DMORTAL=2 -DSENDERS=1 -DSLOTS=1
 * check rebuilding -DMORTAL=2 -DSENDERS=1 -DINHERITED   the last owner of the lock has died in it
 * long check receiver -DMORTAL=2 -DSENDERS=1 -DEACH=2
 * long check either -DMORTAL=3 -DSENDERS=1 -DSLOTS=1
 * long check sender -DMORTAL=1
 * fault order -DAPART -DDRAINED_ONCE   what came behind the first look for hints may be older than what that found
 * fault one_slot -DSLOTS=1 -DFREED_BY_STORE    freed, and the store still in the buffer when the hint is looked for
 * fault one_slot -DSLOTS=1 -DSEEN_TOO_EARLY    the hint is looked for before the slot is free
 * fault living -DHINT_TOO_EARLY        the hint is there before the message is ready
 * fault rebuilding -DMORTAL=2 -DSENDERS=1 -DINHERITED -DREADY_TOO_EARLY    ready before it is written
 * fault sender -DMORTAL=1 -DRECEIVERS=1 -DREADY_KEPT=true   left to its hint, which was never set
 * fault sender -DMORTAL=1 -DRECEIVERS=1 -DWRITTEN_KEPT
 * fault sender -DMORTAL=1 -DRECEIVERS=1 -DSLOTS=1 -DNOT_HINTED_AGAIN  a hint that the dead had taken away
 * fault receiver -DMORTAL=2 -DSENDERS=1 -DSLOTS=1 -DTAKEN_KEPT=true
 * fault receiver -DMORTAL=2 -DSENDERS=1 -DSLOTS=1 -DHEAP_KEPT
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef RECEIVERS
#define RECEIVERS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef EACH
#define EACH 1
#endif
#ifndef MORTAL
#define MORTAL 0  /* a bit for each process */
#endif
#define PROCESSES (SENDERS + RECEIVERS)
#define LAST (PROCESSES - 1)
#define WORDS 9
#define DEPTH 1
#define MUTEXES 1
#include "store_buffer.pml"
#include "robust_mutex.pml"

#ifndef READY_KEPT
#define READY_KEPT false
#endif
#ifndef TAKEN_KEPT
#define TAKEN_KEPT false
#endif

#define TAKING 0
#define STATE(s) (s)
#define SEQ(s) (2 + (s))
#define PAYLOAD(s) (4 + (s))
#define READY 6
#define FREE 7
#define NEXT 8
#define BIT(s) (1 << (s))
#define ALL (BIT(SLOTS) - 1)

/* A slot's state: what it is, whose, and how often it was handed on. */
#define IS_FREE 0
#define IS_WRITTEN 1
#define IS_READY 2
#define IS_QUEUED 3
#define IS_TAKEN 4
#define PHASE(state) ((state) & 7)
#define MEMBER(state) (((state) >> 3) & 7)
#define IN(state, phase) (((state) & 248) + (phase))
#define ANEW(state, phase, member) ((((state) + 64) & 192) + 8 * (member) + (phase))

/* Of each message: nowhere yet, there, somebody's, or delivered; and whose sending was over when its own began. */
#define NOWHERE 0
#define THERE 1
#define HELD 2
#define DELIVERED 3
byte stands[SENDERS * EACH];
byte earlier[SENDERS * EACH];
byte sent;
byte holds[SLOTS];

byte heap;            /* the slots that are in it */
bool half_changed;
bool done[PROCESSES];
bool gone[PROCESSES]; /* dead, and what it had was taken back */

#define COMPARE_EXCHANGE(p, word, expected, wanted, ok) \
  d_step { \
    stored[p] == 0 -> \
    if \
    :: memory[word] == (expected) -> memory[word] = (wanted); ok = true \
    :: else -> ok = false \
    fi \
  }
#define OR(p, word, bits) d_step { stored[p] == 0 -> memory[word] = memory[word] | (bits) }

inline hint_free(slot) {
#ifndef SEEN_TOO_EARLY
  LOAD(p, FREE, hints);
#endif
  if
  :: !(hints & BIT(slot)) -> OR(p, FREE, BIT(slot))
  :: else
  fi
}

inline claim_if_free(slot) {
  LOAD(p, STATE(slot), state);
  if
  :: PHASE(state) == IS_FREE ->
    COMPARE_EXCHANGE(p, STATE(slot), state, ANEW(state, IS_WRITTEN, p), ok);
    state = ANEW(state, IS_WRITTEN, p)
  :: else -> ok = false
  fi
}

/* The one that is likely free, else whatever has a hint. */
inline claim() {
  claim_if_free(at_slot);
  do
  :: ok -> break
  :: else ->
    LOAD(p, FREE, hints);
    if
    :: hints == 0 -> memory[FREE] != 0
    :: else ->
      at_slot = (hints & 1 -> 0 : 1);
      d_step { stored[p] == 0 -> ok = (memory[FREE] & BIT(at_slot)) != 0; memory[FREE] = memory[FREE] & ~BIT(at_slot) };
      if
      :: ok -> claim_if_free(at_slot)
      :: else
      fi
    fi
  od;
  skip
}

inline make_ready() {
  d_step {
    stored[p] == 0 ->
    assert(memory[STATE(at_slot)] == state);
    memory[STATE(at_slot)] = IN(state, IS_READY);
    holds[at_slot] = message;
    stands[message] = THERE
  }
}

proctype sender(byte p) {
  byte message, at_slot, state, hints, drawn;
  bool ok;
  {
    message = p * EACH;
    at_slot = p % SLOTS;
    do
    :: message == p * EACH + EACH -> break
    :: else ->
      earlier[message] = sent;
      claim();
#ifndef READY_TOO_EARLY
      STORE(p, PAYLOAD(at_slot), message + 1);
#endif
      ADD(p, NEXT, 1, drawn);
      STORE(p, SEQ(at_slot), drawn);
#ifdef HINT_TOO_EARLY
      OR(p, READY, BIT(at_slot));
      make_ready();
#else
      make_ready();
#ifdef READY_TOO_EARLY
      STORE(p, PAYLOAD(at_slot), message + 1);
#endif
      OR(p, READY, BIT(at_slot));
#endif
      d_step {
        sent = sent | BIT(message);
        message++;
        at_slot = (at_slot + 1) % SLOTS;
        hints = 0;
        drawn = 0;
        state = 0
      }
    od
  } OR_DIES(p);
  done[p] = true
}

/* Under the lock nobody else changes what is ready, queued or taken, so looking and storing are one step here. */
inline push(slot) {
  d_step { assert(half_changed && !(heap & BIT(slot))); heap = heap | BIT(slot); half_changed = false }
}

inline queue_if_ready() {
  d_step {
    ok = PHASE(memory[STATE(at_slot)]) == IS_READY;
    if
    :: ok -> memory[STATE(at_slot)] = IN(memory[STATE(at_slot)], IS_QUEUED); half_changed = true
    :: else
    fi
  };
  if
  :: ok -> push(at_slot)
  :: else
  fi
}

inline drain_hints() {
#ifdef APART
  at_slot = 0;
  do
  :: d_step { at_slot < SLOTS -> ok = (memory[READY] & BIT(at_slot)) != 0; memory[READY] = memory[READY] & ~BIT(at_slot) };
    if
    :: ok -> queue_if_ready()
    :: else
    fi;
    at_slot++
  :: at_slot == SLOTS -> break
  od;
#else
  EXCHANGE(p, READY, 0, hints);
  do
  :: d_step { hints != 0 -> at_slot = (hints & 1 -> 0 : 1); hints = hints & ~BIT(at_slot) };
    queue_if_ready()
  :: hints == 0 -> break
  od;
#endif
  skip
}

inline find_first() {
  d_step {
    assert(!half_changed);
    at_slot = 0;
    first = SLOTS;
    do
    :: at_slot == SLOTS -> break
    :: else ->
      if
      :: heap & BIT(at_slot) ->
        if
        :: first == SLOTS -> first = at_slot
        :: first != SLOTS && memory[SEQ(at_slot)] < memory[SEQ(first)] -> first = at_slot
        :: else
        fi
      :: else
      fi;
      at_slot++
    od;
    at_slot = 0
  }
}

inline order_ready() {
  drain_hints();
  do
#ifdef DRAINED_ONCE
  :: true -> break
#endif
  :: memory[READY] == 0 -> break
  :: else ->
    LOAD(p, NEXT, drawn);
    drain_hints();
    find_first();
    if
    :: first != SLOTS && memory[SEQ(first)] < drawn -> break
    :: else
    fi
  od;
  skip;
  find_first()
}

inline rebuild() {
  d_step { heap = 0; half_changed = false; at_slot = 0 };
  do
  :: d_step {
      at_slot < SLOTS ->
      state = memory[STATE(at_slot)];
      ok = PHASE(state) == IS_READY || PHASE(state) == IS_QUEUED;
      if
      :: ok -> memory[STATE(at_slot)] = IN(state, IS_QUEUED); half_changed = true
      :: else
      fi
    };
    if
    :: ok -> push(at_slot)
    :: else
    fi;
    at_slot++
  :: at_slot == SLOTS -> break
  od;
  skip;
  REPAIRED(p, TAKING)
}

inline lock() {
  LOCK(p, TAKING, ok);
  if
#ifdef HEAP_KEPT
  :: ok -> half_changed = false; REPAIRED(p, TAKING)
#else
  :: ok -> rebuild()
#endif
  :: else
  fi
}

/* Nothing that had been sent before the sending of this one began is left behind. */
inline is_in_order() {
  at_slot = 0;
  do
  :: at_slot == SENDERS * EACH -> break
  :: else ->
    assert(!(earlier[holds[first]] & BIT(at_slot)) || stands[at_slot] != THERE);
    at_slot++
  od;
  at_slot = 0
}

inline take_and_unlock() {
  d_step {
    state = memory[STATE(first)];
    assert(PHASE(state) == IS_QUEUED && stands[holds[first]] == THERE);
    is_in_order();
    stands[holds[first]] = HELD;
    state = ANEW(state, IS_TAKEN, p);
    memory[STATE(first)] = state;
    half_changed = true;
    drawn = 0
  };
  d_step { heap = heap & ~BIT(first); half_changed = false; holder[TAKING] = 0 }
}

inline deliver() {
  LOAD(p, PAYLOAD(first), drawn);
#ifdef SEEN_TOO_EARLY
  LOAD(p, FREE, hints);
#endif
  d_step {
    stored[p] == 0 ->
    assert(memory[STATE(first)] == state);
    assert(drawn == holds[first] + 1 && stands[drawn - 1] == HELD);
    stands[drawn - 1] = DELIVERED;
    holds[first] = 0;
    drawn = 0;
#ifdef FREED_BY_STORE
    stored_word[OLDEST(p)] = STATE(first);
    stored_value[OLDEST(p)] = IN(state, IS_FREE);
    stored[p] = 1
#else
    memory[STATE(first)] = IN(state, IS_FREE)
#endif
  };
  hint_free(first)
}

inline take_back(whose) {
  d_step {
    state = memory[STATE(first)];
    ok = MEMBER(state) == whose && (PHASE(state) == IS_READY && !READY_KEPT || PHASE(state) == IS_TAKEN && !TAKEN_KEPT);
    if
    :: ok ->
      memory[STATE(first)] = IN(state, IS_QUEUED);
      stands[holds[first]] = THERE;
      half_changed = true
    :: else
    fi
  };
  if
  :: ok -> push(first)
#ifndef WRITTEN_KEPT
  :: !ok && MEMBER(state) == whose && PHASE(state) == IS_WRITTEN ->
    COMPARE_EXCHANGE(p, STATE(first), state, IN(state, IS_FREE), ok);
    hint_free(first)
#endif
#ifndef NOT_HINTED_AGAIN
  :: !ok && PHASE(state) == IS_FREE -> hint_free(first)
#endif
  :: else
  fi
}

inline reclaim(whose) {
  lock();
  if
  :: gone[whose]
  :: else ->
    first = 0;
    do
    :: first == SLOTS -> break
    :: else -> take_back(whose); first++
    od;
    gone[whose] = true
  fi;
  UNLOCK(p, TAKING)
}

inline nothing_is_missing() {
  d_step {
    at_slot = 0;
    do
    :: at_slot == SENDERS * EACH -> break
    :: else ->
      assert(stands[at_slot] == DELIVERED || stands[at_slot] == NOWHERE && !(sent & BIT(at_slot)));
      at_slot++
    od;
    at_slot = 0;
    do
    :: at_slot == SLOTS -> break
    :: else -> assert(PHASE(memory[STATE(at_slot)]) == IS_FREE); at_slot++
    od;
    assert(memory[FREE] == ALL)
  }
}

#ifdef APART
#define MAY_BE_TAKEN (memory[READY] != 0 || heap != 0 || !done[0] || !done[1])
#else
#define MAY_BE_TAKEN (memory[READY] != 0 || heap != 0 || owner_died[TAKING])
#endif
#define TO_RECLAIM(q) (walked[q] && !gone[q])
#define OVER(q) (done[q] && stored[q] == 0 && (!died[q] || gone[q]))

inline rest() { d_step { first = 0; state = 0; at_slot = 0; hints = 0; drawn = 0; ok = false } }

proctype receiver(byte p) {
  byte first, state, at_slot, hints, drawn, whose;
  bool ok;
  {
    do
    :: MAY_BE_TAKEN ->
      lock();
      order_ready();
      if
      :: first == SLOTS -> UNLOCK(p, TAKING)
      :: else ->
        take_and_unlock();
        deliver()
      fi;
      rest()
    :: d_step { TO_RECLAIM(0) -> whose = 0 }; reclaim(whose); rest()
    :: d_step { TO_RECLAIM(1) -> whose = 1 }; reclaim(whose); rest()
#if PROCESSES > 2
    :: d_step { TO_RECLAIM(2) -> whose = 2 }; reclaim(whose); rest()
#endif
#if PROCESSES > 3
    :: d_step { TO_RECLAIM(3) -> whose = 3 }; reclaim(whose); rest()
#endif
    :: OVER(0) && (OVER(1) || SENDERS == 1) && !MAY_BE_TAKEN && p != LAST -> break
    :: OVER(0) && OVER(1) && (OVER(2) || LAST == 2) && !MAY_BE_TAKEN && p == LAST -> break
    od
  } OR_DIES(p);
  done[p] = true;
  if
  :: p == LAST -> FENCE(p); nothing_is_missing()
  :: else
  fi
}

/* At any time before it is done, or never. */
proctype executioner(byte p) {
end:
  d_step { !done[p] -> died[p] = true };
  run kernel(p)
}

init {
  byte p;
  atomic {
    memory[FREE] = ALL;
#ifdef INHERITED
    half_changed = true;
    heap = ALL;
    owner_died[TAKING] = true;
#endif
    do
    :: p == PROCESSES -> break
    :: else ->
      run drain(p);
      if
      :: MORTAL & BIT(p) -> run executioner(p)
      :: else
      fi;
      if
      :: p < SENDERS -> run sender(p)
      :: else -> run receiver(p)
      fi;
      p++
    od;
    p = 0
  }
}
