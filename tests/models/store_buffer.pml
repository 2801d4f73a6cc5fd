/* A machine with store buffers, as x86 has them (total store order), and processes that may die at any transition.
 *
 * Before including this, a model defines
 *   PROCESSES  how many processes have a buffer, numbered from 0
 *   WORDS      how many shared words there are; all begin at 0
 *   DEPTH      how many stores a buffer holds; a store waits while it is full
 *
 * A process then uses, with its own number `p`:
 *   STORE(p, word, value)      goes into the buffer, and is seen by others some time later
 *   LOAD(p, word, into)        the newest own store still in the buffer, else memory
 *   FENCE(p)                   waits until the buffer is empty
 *   EXCHANGE(p, word, value, into), ADD(p, word, value, into)
 *                              locked: the buffer empties first, `into` is what was there before
 *   SYSTEM_CALL(p)             the kernel is entered through a barrier
 *   MAY_DIE(p) { … }           as the body of a process: it may end between any two of its steps. What it has stored
 *                              still reaches memory, as it does when a process is killed.
 * The model runs `run drain(p)` for each process, and `run killer(p)` for each that may die.
 */
byte memory[WORDS];
byte stored_word[PROCESSES * DEPTH];
byte stored_value[PROCESSES * DEPTH];
byte stored[PROCESSES];
bool died[PROCESSES];
hidden byte at;

#define OLDEST(p) ((p) * DEPTH)

#define STORE(p, word, value) \
  d_step { \
    stored[p] < DEPTH -> \
    stored_word[OLDEST(p) + stored[p]] = word; \
    stored_value[OLDEST(p) + stored[p]] = value; \
    stored[p]++ \
  }

#define LOAD(p, word, into) \
  d_step { \
    into = memory[word]; \
    at = 0; \
    do \
    :: at < stored[p] -> \
      if \
      :: stored_word[OLDEST(p) + at] == word -> into = stored_value[OLDEST(p) + at] \
      :: else \
      fi; \
      at++ \
    :: else -> break \
    od; \
    at = 0 \
  }

#define FENCE(p) (stored[p] == 0)
#define SYSTEM_CALL(p) FENCE(p)

#define EXCHANGE(p, word, value, into) \
  d_step { stored[p] == 0 -> into = memory[word]; memory[word] = value }

#define ADD(p, word, value, into) \
  d_step { stored[p] == 0 -> into = memory[word]; memory[word] = memory[word] + (value) }

#define OR_DIES(p) unless { died[p] }

/* The oldest store reaches memory, at any time. */
proctype drain(byte p) {
end:
  do
  :: d_step {
      stored[p] > 0 ->
      memory[stored_word[OLDEST(p)]] = stored_value[OLDEST(p)];
      stored[p]--;
      at = 0;
      do
      :: at < stored[p] ->
        stored_word[OLDEST(p) + at] = stored_word[OLDEST(p) + at + 1];
        stored_value[OLDEST(p) + at] = stored_value[OLDEST(p) + at + 1];
        at++
      :: else -> break
      od;
      stored_word[OLDEST(p) + stored[p]] = 0;  /* equal buffers are equal states */
      stored_value[OLDEST(p) + stored[p]] = 0;
      at = 0
    }
  od
}

/* Kills, at any time or never. */
proctype killer(byte p) {
  if
  :: died[p] = true
  :: skip
  fi
}
