/* RwLock: a gate and a slot for each reader, all of them robust mutexes, and a word that says that somebody writes.
 * sync/rw_lock
 *
 * Two writers and a reader; the first writer and the reader may die at any step. What is written is two halves, which
 * differ while a write is going on. A reader that gets in sees two equal halves; a writer that gets in is told of a
 * write that was not finished; a reader's death is told to nobody; and whoever lives comes to its end.
 *
 * check living
 * check dying -DDYING
 * fault dying -DDYING -DNOT_ROBUST         what the dead hold is never free
 * fault dying -DDYING -DNO_WORD            a dead writer is not told from a dead reader
 * fault dying -DDYING -DWORD_AFTER_DATA    the word is set when half is written
 * fault dying -DDYING -DWORD_BEFORE_SLOTS  the word is set before all slots are held: readers are told of a death
 * fault dying -DDYING -DWORD_CLEARED_LATE  it is cleared when the slots are free again
 * fault dying -DDYING -DTOLD_BY_SLOT       the mark of a slot is told, which may be a reader's
 * fault dying -DDYING -DLEFT_UNREPAIRED    what the dead left is written over by one who was not told
 * fault living -DONE_SLOT                  a writer takes one slot
 * fault living -DNO_GATE                   two writers take the slots from both ends
 */
#define PROCESSES 3
#define WORDS 3
#define DEPTH 3
#define MUTEXES 3
#include "store_buffer.pml"
#include "robust_mutex.pml"

#define READER 2
#define GATE 2
#define WRITING 0
#define A 1
#define B 2

bool inside[PROCESSES];

/* The halves, as memory has them: behind a lock nothing is left in a buffer. */
proctype writer(byte p) {
  byte before;
  bool told, slot_told, owed;
  {
#ifndef NO_GATE
    LOCK(p, GATE, told);
    REPAIRED(p, GATE);
#endif
#ifdef WORD_BEFORE_SLOTS
    STORE(p, WRITING, 1);
#endif
#ifdef NO_GATE
    if
    :: p == 1 -> LOCK(p, 1, told); LOCK(p, 0, told)
    :: else -> LOCK(p, 0, told); LOCK(p, 1, told)
    fi;
    REPAIRED(p, 0);
    REPAIRED(p, 1);
#else
    LOCK(p, 0, told);
    REPAIRED(p, 0);
    slot_told = told;
#ifndef ONE_SLOT
    LOCK(p, 1, told);
    REPAIRED(p, 1);
    slot_told = slot_told || told;
#endif
#endif
    LOAD(p, WRITING, before);
#if !defined(NO_WORD) && !defined(WORD_AFTER_DATA)
    STORE(p, WRITING, 1);
#endif
    d_step {
      inside[p] = true;
      assert(!inside[1 - p] || died[1 - p]);
      assert(!inside[READER] || died[READER]);
      /* Told of what was not finished. */
      owed = memory[A] != memory[B];
#ifdef TOLD_BY_SLOT
      assert(!slot_told || died[1 - p]);
#endif
#ifndef WORD_BEFORE_SLOTS
      assert(!owed || before == 1)
#endif
    };
#ifdef LEFT_UNREPAIRED
    d_step { before = 0 };
#endif
    if
    :: before == 1 ->  /* `a` is written first, and is the truth */
      LOAD(p, A, before);
      STORE(p, B, before)
    :: else
    fi;
    LOAD(p, A, before);
    STORE(p, A, before + 1);
#ifdef WORD_AFTER_DATA
    STORE(p, WRITING, 1);
#endif
    LOAD(p, B, before);
    STORE(p, B, before + 1);
    inside[p] = false;
#ifndef NO_GATE
    UNLOCK(p, GATE);
#endif
#ifndef WORD_CLEARED_LATE
    STORE(p, WRITING, 0);
#endif
    UNLOCK(p, 0);
#ifndef ONE_SLOT
    UNLOCK(p, 1);
#endif
#ifdef WORD_CLEARED_LATE
    STORE(p, WRITING, 0);
#endif
    skip
  } OR_DIES(p)
}

proctype reader() {
  byte writing, a, b, rounds, slot;
  bool told, got;
  {
    do
    :: rounds == 2 -> break
    :: else ->
      rounds++;
      /* The first slot that is free; else it waits at the gate. */
      TRY_LOCK(READER, 0, got, told);
      if
      :: got -> slot = 0
      :: else ->
        LOCK(READER, GATE, told);
        REPAIRED(READER, GATE);
        TRY_LOCK(READER, 1, got, told);
        if
        :: got -> slot = 1
        :: else -> LOCK(READER, 0, told); slot = 0
        fi;
        UNLOCK(READER, GATE)
      fi;
      REPAIRED(READER, slot);
      LOAD(READER, WRITING, writing);
      if
      :: writing == 0 ->
        d_step {
          inside[READER] = true;
          assert(!inside[0] || died[0]);
          assert(!inside[1] || died[1])
        };
        LOAD(READER, A, a);
        LOAD(READER, B, b);
        assert(a == b);
        inside[READER] = false
      :: else ->
        /* Told of a death, there was one. */
        assert(died[0])
      fi;
      UNLOCK(READER, slot)
    od
  } OR_DIES(READER)
}

init {
  atomic {
    run drain(0);
    run drain(1);
    run drain(2);
#ifdef DYING
    run killer(0);
    run kernel(0);
    run killer(READER);
    run kernel(READER);
#endif
    run writer(0);
    run writer(1);
    run reader()
  }
}
