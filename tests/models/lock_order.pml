/* LockGraph with two locks: the two orders in which they may be taken are a word each, and whoever wants to take them in
 * one proposes it, looks for the other, and accepts or refuses its own. sync/lock_graph
 *
 * Two processes want the one order and one the other, twice each, and the first may die at any step. Never are both
 * orders accepted, and who is told that it may go on has one that is.
 *
 * check orders
 * fault orders -DPROPOSED_IN_BUFFER    the proposal is still in the buffer when the other order is looked at
 * fault orders -DACCEPTED_ALONE        what is only proposed does not count
 * fault orders -DNOT_COUNTED           proposed again, a word is as it was, and an old look decides on it
 * fault orders -DDECIDED_BLINDLY       the verdict is stored whatever the word has become
 */
#define PROCESSES 3
#define WORDS 2
#define DEPTH 2
#include "store_buffer.pml"

#define PROPOSED 1
#define ACCEPTED 2
#define REFUSED 3
#define STANDING(word) ((word) & 3)
#define WITH(word, standing) (((word) & 252) | (standing))
#ifdef NOT_COUNTED
#define AGAIN(word) WITH(word, PROPOSED)
#else
#define AGAIN(word) WITH((word) + 4, PROPOSED)
#endif

/* A locked exchange if the word is as expected; `word` is what stands there before, or after. */
inline compare_exchange(wanted) {
  d_step {
    stored[p] == 0 ->
    if
    :: memory[own] == word -> memory[own] = (wanted); word = (wanted); done = true
    :: else -> word = memory[own]; done = false
    fi
  }
}

inline propose() {
#ifdef PROPOSED_IN_BUFFER
  if
  :: word == 0 -> STORE(p, own, PROPOSED); word = PROPOSED
  :: else -> compare_exchange(AGAIN(word))
  fi
#else
  compare_exchange((word == 0 -> PROPOSED : AGAIN(word)))
#endif
}

inline decide(standing) {
#ifdef DECIDED_BLINDLY
  d_step { stored[p] == 0 -> memory[own] = WITH(word, standing); word = memory[own]; done = true }
#else
  compare_exchange(WITH(word, standing))
#endif
}

proctype taker(byte p; byte own) {
  byte word, seen, round;
  bool done;
  {
    do
    :: round == 2 -> break
    :: else ->
      LOAD(p, own, word);
      do
      :: STANDING(word) == ACCEPTED -> break
      :: word == 0 || STANDING(word) == REFUSED -> propose()
      :: STANDING(word) == PROPOSED ->
        LOAD(p, 1 - own, seen);
#ifdef ACCEPTED_ALONE
        if
        :: STANDING(seen) == ACCEPTED -> decide(REFUSED)
#else
        if
        :: STANDING(seen) == ACCEPTED || STANDING(seen) == PROPOSED -> decide(REFUSED)
#endif
        :: else -> decide(ACCEPTED)
        fi;
        if
        :: done -> break
        :: else
        fi
      od;
      /* Both are accepted by nobody's doing, ever. */
      assert(STANDING(memory[0]) != ACCEPTED || STANDING(memory[1]) != ACCEPTED);
      round++
    od
  } OR_DIES(p)
}

init {
  atomic {
    run drain(0);
    run drain(1);
    run drain(2);
    run killer(0);
    run taker(0, 0);
    run taker(1, 0);
    run taker(2, 1)
  }
}
