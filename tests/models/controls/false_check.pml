/* The runner must fail on a check that does not hold: two processes that each add one without a lock.
 *
 * check adds
 */
byte count, done;

proctype add() {
  byte seen;
  seen = count;
  count = seen + 1;
  done++
}

init {
  atomic { run add(); run add() }
  done == 2;
  assert(count == 2)
}
