/* The runner must fail on a seeded fault that nothing finds.
 *
 * fault adds -DHARMLESS
 */
byte count;

init {
  count++;
  assert(count == 1)
}
