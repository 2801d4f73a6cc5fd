/* A message that one takes at a time, for as long as it works at it: acknowledged, given back, or taken back from whoever
 * is dead, or is taken for dead, since its life file was removed, and knows nothing of it. messaging/queue/queue_slots
 *
 * One slot with one message. Each member enters at a free place, and takes the message when it is there; then it
 * acknowledges it, or gives it back, or keeps it. Any may be found dead at any time, rightly or wrongly, by another, who
 * takes back what stands there with that place, and gives the place up; whoever comes next may have the same one. What
 * was wrongly found dead acknowledges and gives back all the same. Of those that are not taken for dead one holds the
 * message at a time, and nobody else frees it; whoever is told that it acknowledged was the one to do so, and nobody has
 * the message after that.
 *
 * check one_place -DPLACES=1
 * check two_places -DPLACES=2
 * fault one_place -DPLACES=1 -DSAME_USE     the next one at the place takes the message as the same use
 * fault two_places -DPLACES=2 -DTOKEN_UNSEEN   a second one who finds it dead takes from who has the place now
 * fault two_places -DPLACES=2 -DFREED_BLINDLY  freed without a look at who has it by now
 * fault two_places -DPLACES=2 -DGIVEN_BLINDLY  given back without that look
 * fault two_places -DPLACES=2 -DGIVEN_UNLOCKED  looked at, and given back, without the lock
 * fault one_place -DPLACES=1 -DPLACE_FIRST     the place is given up before what stands there is taken back
 * fault two_places -DPLACES=2 -DPLACE_UNSEEN    taken by who has lost its place, in whose name nobody takes it back
 * fault two_places -DPLACES=2 -DNOT_TAKEN_BACK
 */
#define MEMBERS 2
#define NOBODY 0
#define NONE 255

/* The slot's state: what it is, the place of whose it is, and its use. */
#define FREE 0
#define QUEUED 3
#define TAKEN 4
#define WORD(phase, place, use) ((phase) + 8 * (place) + 32 * (use))
#define PHASE(state) ((state) & 7)
#define PLACE(state) (((state) >> 3) & 3)
#define USE(state) ((state) >> 5)

byte state = WORD(QUEUED, 0, 0);
byte token[PLACES];  /* of each place: the member there and 1 */
bool locked;

/* Of each member. */
bool mourned[MEMBERS];     /* found dead, rightly or not */
bool over[MEMBERS];
byte holds = NONE;         /* who has the message, as all the others see it */
bool acknowledged;

#define LOCK() d_step { !locked -> locked = true }
#define UNLOCK() d_step { assert(locked); locked = false }

/* By its place alone a slot is told; the token says whose place it is. */
inline reclaim(other, its_place) {
  LOCK();
#ifndef TOKEN_UNSEEN
  if
  :: token[its_place] == other + 1 ->
#endif
#ifdef PLACE_FIRST
    token[its_place] = NOBODY;
    UNLOCK();
    LOCK();
#endif
#ifndef NOT_TAKEN_BACK
    d_step {
      if
      :: PHASE(state) == TAKEN && PLACE(state) == its_place ->
        assert(holds == other);
        state = WORD(QUEUED, its_place, USE(state));
        holds = NONE
      :: else
      fi
    };
#endif
    token[its_place] = NOBODY;
#ifndef TOKEN_UNSEEN
  :: else
  fi;
#endif
  UNLOCK()
}

proctype mourner(byte other) {
  byte its_place;
  /* Somebody sees its token, then that its life is over; two may. */
  do
  :: d_step {
      its_place < PLACES && token[its_place] == other + 1 ->
      mourned[other] = true
    };
    break
  :: d_step {
      PLACES > 1 && its_place == 0 && token[PLACES - 1] == other + 1 ->
      its_place = PLACES - 1;
      mourned[other] = true
    };
    break
  :: over[other] && token[0] != other + 1 && token[PLACES - 1] != other + 1 -> goto found_by_another
  od;
  skip;
  reclaim(other, its_place);
found_by_another:
  skip
}

inline take() {
  LOCK();
  if
#ifdef PLACE_UNSEEN
  :: PHASE(state) == QUEUED ->
#else
  :: PHASE(state) == QUEUED && token[place] == p + 1 ->
#endif
    d_step {
      assert(holds == NONE && !acknowledged);
      holds = p;
#ifdef SAME_USE
      held = WORD(TAKEN, place, USE(state));
#else
      held = WORD(TAKEN, place, (USE(state) + 1) % 8);
#endif
      state = held
    };
    UNLOCK();
    has = true
  :: else -> UNLOCK()
  fi
}

inline acknowledge() {
  d_step {
    if
#ifdef FREED_BLINDLY
    :: true ->
#else
    :: state == held ->
#endif
      assert(holds == p && !acknowledged);  /* its own, and nobody else's by now */
      state = WORD(FREE, place, USE(held));
      holds = NONE;
      acknowledged = true
#ifndef FREED_BLINDLY
    :: else -> assert(mourned[p])
#endif
    fi
  }
}

inline give_back() {
#ifndef GIVEN_UNLOCKED
  LOCK();
#endif
#ifdef GIVEN_BLINDLY
  has = true;
#else
  has = state == held;
#endif
  if
  :: !has -> assert(mourned[p])
  :: else ->
    d_step {
      assert(holds == p);
      state = WORD(QUEUED, place, USE(held));
      holds = NONE
    }
  fi;
#ifndef GIVEN_UNLOCKED
  UNLOCK()
#else
  skip
#endif
}

proctype member(byte p) {
  byte place, held;
  bool has;
  /* A place that is free, or none. */
  if
  :: d_step { token[0] == NOBODY -> token[0] = p + 1; place = 0 }
#if PLACES > 1
  :: d_step { token[1] == NOBODY -> token[1] = p + 1; place = 1 }
#endif
  fi;
  take();
  if
  :: has ->
    if
    :: acknowledge()
    :: give_back()
    :: skip  /* dies with it, or is kept busy until the end */
    fi
  :: else
  fi;
  over[p] = true;
  /* Dies, or leaves: either way somebody finds its place. */
  token[place] != p + 1
}

init {
  atomic {
    run member(0);
    run member(1);
    run mourner(0);
    run mourner(0);
    run mourner(1)
  }
  (_nr_pr == 1);
  assert(acknowledged || PHASE(state) == QUEUED);
  assert(acknowledged == (PHASE(state) == FREE));
  assert(holds == NONE)
}
