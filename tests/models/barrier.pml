/* Barrier: members wait for one another in phases; each arrival, giving up, and ending of a phase is one exchange of one
 * word. When a member has died, one of the others breaks off the phase, and then takes the dead one out. sync/barrier
 *
 * While nobody dies no wake-up is lost, without any recheck: `living`, where the second member gives up once, comes
 * again, and leaves after one phase of two. The first may die at any step: `dying`. Each phase ends the same for all,
 * each is told once of a death, and nobody who lives is left behind. In `found` it is dead from the start, and
 * in `telling` one that finds it may die, too. With GIVES_UP the second gives up once meanwhile, and comes again.
 * All that is shared is changed by locked instructions, which leave nothing in a store buffer; that of who counts
 * sleepers and who looks at the count is in condition.pml.
 *
 * check living -DMEMBERS=2 -DPHASES=2
 * check crowd -DMEMBERS=3 -DPHASES=1
 * long check dying -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK
 * check found -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD
 * check telling -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD -DTELLER_DIES
 * check found -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD -DGIVES_UP
 * long check dying -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DGIVES_UP
 * fault living -DMEMBERS=2 -DPHASES=2 -DLEAVES_WITHOUT_A_LOOK    who leaves does not look whether the others can go
 * fault living -DMEMBERS=2 -DPHASES=2 -DENDED_WITHOUT_COMPARE    two end the same phase, one after the other
 * fault living -DMEMBERS=2 -DPHASES=2 -DGIVES_UP_WITHOUT_COMPARE who gives up was counted
 * fault living -DMEMBERS=2 -DPHASES=2 -DSEEN_TOO_LATE            the bell is read after the look at the phase
 * fault dying -DMEMBERS=3 -DPHASES=1 -DDYING                     no recheck
 * fault dying -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DNOBODY_LOOKS     for the dead
 * fault dying -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DNOT_BROKEN_OFF   taken out, and nobody is told
 * fault found -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD -DNO_MUTEX  two find it, and break off two phases
 * fault telling -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD -DTELLER_DIES -DTAKEN_OUT_FIRST   nobody is told
 * fault found -DMEMBERS=3 -DPHASES=1 -DDYING -DRECHECK -DDEAD -DGIVES_UP -DGIVES_UP_WITHOUT_COMPARE
 */
#define PROCESSES 3
#define WORDS 1
#define DEPTH 1
#define MUTEXES 1
#include "store_buffer.pml"
#include "robust_mutex.pml"

/* Changed by locked instructions alone, which leave nothing in a buffer: so they stand beside the machine's memory. */
byte rung;
byte number;          /* of the phase */
byte arrived;         /* in it, a bit each */
bool broken[8];       /* how the phases before it ended */
bool departed[PROCESSES];
byte breaks;

bool asleep[PROCESSES];
bool left[PROCESSES];

inline wake_all() {
  d_step { asleep[0] = false; asleep[1] = false; asleep[2] = false }
}

inline ring() {
  rung++;
  wake_all()
}

/* What all_arrived() finds: a copy of the phase, then the slots. */
inline look() {
  d_step { seen_number = number; seen_arrived = arrived };
  complete = seen_arrived != 0 && ((seen_arrived & 1) || departed[0]) && ((seen_arrived & 2) || departed[1]) &&
             (MEMBERS == 2 || (seen_arrived & 4) || departed[2])
}

inline end_if_all_arrived() {
  look();
  do
  :: complete ->
    d_step {
      if
#ifdef ENDED_WITHOUT_COMPARE
      :: true ->
#else
      :: number == seen_number && arrived == seen_arrived ->
#endif
        assert(number < 7);
        /* Nobody passes over a death that nobody was told of. */
        assert((departed[0] && !left[0]) + (departed[1] && !left[1]) <= breaks);
        number++;
        arrived = 0;
        ended = true
      :: else -> ended = false
      fi
    };
    if
    :: ended -> ring(); break
    :: else ->
      if
      :: number == seen_number -> look()
      :: else -> break
      fi
    fi
  :: else -> break
  od
}

inline take_out(dead) {
  if
  :: !departed[dead] && died[dead] && walked[dead] ->
#ifdef TAKEN_OUT_FIRST
    departed[dead] = true;
#endif
#ifndef NOT_BROKEN_OFF
    d_step { assert(number < 7); broken[number] = true; number++; arrived = 0; breaks++ };
#endif
    departed[dead] = true;
    ring()
  :: else
  fi
}

inline take_out_the_dead() {
#ifdef NO_MUTEX
  got = true;
#else
  TRY_LOCK(p, 0, got, told_of_owner);
#endif
  if
  :: got ->
#ifndef NO_MUTEX
    REPAIRED(p, 0);
#endif
    take_out(0);
#ifdef TELLER_DIES
    take_out(1);
#endif
#ifndef NO_MUTEX
    UNLOCK(p, 0)
#endif
    skip
  :: else
  fi
}

proctype member(byte p) {
  byte own, phase, seen, seen_number, seen_arrived, told, rechecks;
  bool complete, ended, got, told_of_owner, gave_up, early;
  own = 1 << p;
  {
    do
    :: phase - told == PHASES || (p == 1 && phase - told == 1) -> break
    :: else ->
arrive:
      skip;
      d_step {
        if
        :: number != phase -> ended = true
        :: else -> arrived = arrived | own; ended = false
        fi
      };
      if
      :: ended ->
        /* No phase ended well without this member. */
        d_step { assert(broken[phase]); phase++; told++ }
      :: else ->
        do
        :: true ->
#ifndef SEEN_TOO_LATE
          seen = rung;
#endif
          if
          :: number != phase ->
            d_step {
              if
              :: broken[phase] -> told++
              :: else
              fi;
              phase++
            };
            break
          :: else
          fi;
          end_if_all_arrived();
          if
          :: number != phase -> goto again
          :: else
          fi;
#if MEMBERS == 2 || defined(GIVES_UP)
          if
          :: p == 1 && !gave_up ->
            gave_up = true;
#ifdef GIVES_UP_WITHOUT_COMPARE
            arrived = arrived & (255 - own);
            goto arrive
#else
            d_step {
              if
              :: number == phase -> arrived = arrived & (255 - own); ended = false
              :: else -> ended = true
              fi
            };
            if
            :: ended -> goto again
            :: else -> goto arrive
            fi
#endif
          :: true
          fi;
#endif
#ifdef SEEN_TOO_LATE
          seen = rung;
#endif
          d_step {
            if
            :: rung == seen -> asleep[p] = true
            :: else
            fi
          };
          if
          :: !asleep[p]
#ifdef RECHECK
          :: timeout -> d_step { asleep[p] = false; rechecks++; assert(rechecks < 6) }
#ifdef DEAD
          /* Once, whenever it comes. */
          :: d_step { !early -> early = true; asleep[p] = false }
#endif
#endif
          fi;
#if defined(DYING) && !defined(NOBODY_LOOKS)
          take_out_the_dead();
#endif
again:
          skip
        od
      fi
    od;
    skip;
#ifndef TELLER_DIES
    assert(told <= 1);
#endif
    d_step { departed[p] = true; left[p] = true };
#ifndef LEAVES_WITHOUT_A_LOOK
    end_if_all_arrived()
#endif
    skip
  } OR_DIES(p)
}

init {
  atomic {
#ifdef TELLER_DIES
    run killer(1);
    run kernel(1);
#endif
#if defined(DYING) && !defined(DEAD)
    run killer(0);
    run kernel(0);
#endif
#ifdef DEAD
    died[0] = true;
    walked[0] = true;
#else
    run member(0);
#endif
    run member(1)
#if MEMBERS == 3
    ; run member(2)
#endif
  }
}
