/* Hints on two levels, a word and its bit in the root: whoever dies between the two, each slot that is free is found from
 * the root once the death is known. messaging/queue/hint_set
 *
 * Two slots of one word. Claimers take a hint, claim the slot if it is free, and free it again; who frees one sets its
 * hint unless it sees it there, all the way from the root. Who took a word's last bit clears the word's bit in the root,
 * looks at the word again, and sets that bit again if something has come. A claimer may claim without a hint as well,
 * and may die at any step; then the slots that it left free are hinted at anew. Each operation is a locked one.
 *
 * check dying
 * check living -DLIVING
 * fault dying -DROOT_UNSEEN          it is enough that the word has the slot's bit
 * fault dying -DNOT_HINTED_AGAIN     what the dead have taken a hint of
 * fault living -DLIVING -DWORD_UNSEEN   the word is not looked at again once its bit is cleared
 * fault living -DLIVING -DCLEARED_FIRST the word is looked at before its bit is cleared
 * fault living -DLIVING -DPARENT_ONCE   the root's bit is set before the word's
 */
#define FREE 0
#define IN_USE 1
#define SLOTS 2
#define BIT(s) (1 << (s))

byte word = 3;
bool root = true;
byte state[SLOTS];   /* FREE, or whose it is and 1 */
bool died[3], done[3];

inline set(slot) {
#ifdef PARENT_ONCE
  root = true;
  word = word | BIT(slot)
#else
  word = word | BIT(slot);
  if
  :: root
  :: !root -> root = true
  fi
#endif
}

inline hint_free(slot) {
  has = word & BIT(slot);
#ifndef ROOT_UNSEEN
  if
  :: has != 0 -> has = root
  :: else
  fi;
#endif
  if
  :: has == 0 -> set(slot)
  :: else
  fi
}

inline clear_root() {
#ifdef CLEARED_FIRST
  has = word;
  root = false;
#else
  root = false;
#ifdef WORD_UNSEEN
  has = 0;
#else
  has = word;
#endif
#endif
  if
  :: has != 0 -> root = true
  :: else
  fi
}

inline claim(slot) {
  d_step {
    if
    :: state[slot] == FREE -> state[slot] = p + 1; claimed = true
    :: else -> claimed = false
    fi
  }
}

/* By a hint, or by a guess where `guess` is. */
inline claim_slot() {
  if
  :: claim(guess); slot = guess
  :: skip
  fi;
  do
  :: claimed || !root -> break
  :: !claimed && root ->
    has = word;
    if
    :: has == 0 -> clear_root()
    :: else ->
      slot = (has & 1 -> 0 : 1);
      d_step { has = word; word = word & ~BIT(slot) };
      before = has;
      if
      :: before == BIT(slot) -> clear_root()
      :: else
      fi;
      if
      :: before & BIT(slot) -> claim(slot)
      :: else
      fi
    fi
  od
}

proctype claimer(byte p) {
  byte slot, guess, has, before, times;
  bool claimed;
  {
    guess = p % SLOTS;
    do
    :: times == 2 -> break
    :: else ->
      claim_slot();
      if
      :: claimed -> state[slot] = FREE; hint_free(slot)
      :: claimed -> break  /* kept */
      :: else
      fi;
      d_step { claimed = false; has = 0; before = 0; slot = 0; times++ }
    od
  } unless { died[p] };
  done[p] = true
}

proctype killer(byte p) {
end:
  d_step { !done[p] -> died[p] = true }
}

/* Finds out who has died, and leaves to those who live what is theirs. */
proctype survivor() {
  byte has, slot;
end:
#ifndef LIVING
  died[0] && done[0];
  do
  :: slot == SLOTS -> break
  :: else ->
    if
    :: state[slot] == 1 -> state[slot] = FREE; hint_free(slot)
#ifndef NOT_HINTED_AGAIN
    :: state[slot] == FREE -> hint_free(slot)
#endif
    :: else
    fi;
    slot++
  od;
  skip;
#endif
  done[1] && (done[0] && !died[0] || died[0] && slot == SLOTS);
  assert(state[0] != FREE || root && (word & BIT(0)));
  assert(state[1] != FREE || root && (word & BIT(1)))
}

init {
  atomic {
#ifndef LIVING
    run killer(0);
#endif
    run claimer(0);
    run claimer(1);
    run survivor()
  }
}
