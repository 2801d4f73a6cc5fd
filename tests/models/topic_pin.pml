/* A topic's chunks: the publisher takes one back when its entry is overwritten and no pin names it; a subscriber pins,
 * and then looks whether the entry is still there. messaging/topic/chunk_pool
 *
 * One entry, two chunks, three messages, each written into its chunk before its number is stored. What a subscriber
 * reads of a chunk that it holds must be that message, at any time until it unpins. A lossy subscriber gives up when the
 * entry has changed behind its pin; a gated one pins before it passes its gate and needs no second look, since the
 * publisher waits for the gate before it overwrites the entry. Either process may die at any step.
 *
 * check lossy
 * check gated -DGATED
 * check dying -DDYING
 * check dying -DDYING -DGATED
 * fault lossy -DNO_FENCE_SUBSCRIBER  the pin is still in the buffer when the number is read again
 * fault lossy -DNO_FENCE_PUBLISHER   the number is still in the buffer when the pins are read
 * fault lossy -DNO_SECOND_LOOK       the chunk was taken back before the pin was there
 * fault lossy -DSTILL_NAMED          the chunk is taken back while its entry still names it
 * fault lossy -DPINS_BEFORE          the pins are read before the entry is overwritten
 * fault gated -DGATED -DGATE_BEFORE_PIN   the gate is passed, and then what was behind it is pinned
 * fault dying -DDYING -DPINS_OF_THE_DEAD  what a dead subscriber pinned is waited for
 * fault lossy -DDEAD_TOO_EARLY       a living one's pins are passed over
 */
#define PROCESSES 2
#define WORDS 6
#define DEPTH 6
#include "store_buffer.pml"

#define PUBLISHER 0
#define SUBSCRIBER 1
#define NUMBER 0  /* 0: being written, m: message m is there */
#define NAMED 1   /* the chunk that the entry names */
#define PIN 2     /* 0, or the chunk + 1 */
#define GATE 3    /* how many messages were passed */
#define CHUNK 4   /* two of them */
#define MESSAGES 3

bool publisher_done, subscriber_done;

#ifdef DEAD_TOO_EARLY
#define GONE true
#else
#define GONE (died[SUBSCRIBER] && stored[SUBSCRIBER] == 0 || subscriber_done)
#endif

/* The pins of those who live. */
inline read_pins() {
#ifndef NO_FENCE_PUBLISHER
  FENCE(PUBLISHER);
#endif
  LOAD(PUBLISHER, PIN, pin);
#ifndef PINS_OF_THE_DEAD
  if
  :: GONE -> pin = 0
  :: else
  fi
#endif
}

inline take_back() {
#ifndef PINS_BEFORE
  read_pins();
#endif
  if
  :: pin == retired ->
    /* Held: until the pin changes, or its owner is seen to be dead. */
#ifdef PINS_OF_THE_DEAD
    memory[PIN] != retired;
#else
    memory[PIN] != retired || GONE;
#endif
#ifdef PINS_BEFORE
    read_pins()
#endif
  :: else -> chunk = retired - 1; retired = 0
  fi
}

proctype publisher() {
  byte message = 1, chunk, pin, retired, next_free = 0, seen, in_entry;
  {
    do
    :: message > MESSAGES -> break
    :: else ->
      if
      :: next_free < 2 -> chunk = next_free; next_free++
      :: else ->
#ifdef STILL_NAMED
        retired = in_entry;
#endif
        do
        :: retired != 0 -> take_back()
        :: else -> break
        od
      fi;
      skip;
      STORE(PUBLISHER, CHUNK + chunk, message);
#ifdef GATED
      if
      :: message > 1 ->
        /* Not before all have passed what stands there. */
        memory[GATE] >= message - 1 || GONE
      :: else
      fi;
#endif
#ifdef PINS_BEFORE
      read_pins();
#endif
      STORE(PUBLISHER, NUMBER, 0);
      retired = in_entry;
      STORE(PUBLISHER, NAMED, chunk);
      STORE(PUBLISHER, NUMBER, message);
      in_entry = chunk + 1;
      message++
    od
  } OR_DIES(PUBLISHER);
  publisher_done = true
}

proctype subscriber() {
  byte last, number, again, named, content, looks;
  {
    do
    :: looks == MESSAGES -> break
    :: else ->
      looks++;
      /* Anything new, or nobody sends any more. */
      memory[NUMBER] != last && memory[NUMBER] != 0 || publisher_done && stored[PUBLISHER] == 0;
      LOAD(SUBSCRIBER, NUMBER, number);
      if
      :: number == 0 || number == last -> goto next
      :: else
      fi;
      LOAD(SUBSCRIBER, NAMED, named);
#ifdef GATE_BEFORE_PIN
      STORE(SUBSCRIBER, GATE, number);
#endif
      STORE(SUBSCRIBER, PIN, named + 1);
#ifdef GATED
#ifndef GATE_BEFORE_PIN
      STORE(SUBSCRIBER, GATE, number);
#endif
#else
#ifndef NO_FENCE_SUBSCRIBER
      FENCE(SUBSCRIBER);
#endif
#ifndef NO_SECOND_LOOK
      LOAD(SUBSCRIBER, NUMBER, again);
      if
      :: again != number -> goto unpin
      :: else
      fi;
#endif
#endif
      last = number;
      LOAD(SUBSCRIBER, CHUNK + named, content);
      assert(content == number);
      /* Held for a while, and read once more. */
      LOAD(SUBSCRIBER, CHUNK + named, content);
      assert(content == number);
unpin:
      skip;
      STORE(SUBSCRIBER, PIN, 0);
next:
      again = 0;
      named = 0;
      content = 0
    od
  } OR_DIES(SUBSCRIBER);
  subscriber_done = stored[SUBSCRIBER] == 0 || !died[SUBSCRIBER]
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
