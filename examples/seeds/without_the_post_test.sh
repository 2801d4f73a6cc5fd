#!/bin/bash
# without_the_post_test.sh EXAMPLES LIBRARY: with the posts left out, each program with semaphores must end with 1 and not
# say what only a post allows. LIBRARY, loaded first, leaves them out. Each waits for its deadline, so all run at once.
set -euo pipefail
examples=$1 library=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-without-post.XXXXXX")
trap 'rm -rf "$work"' EXIT

# left_out LINE PROGRAM: without its posts it must not print LINE, and with them it must.
left_out() {
  local line=$1 program=$2 status=0
  "$examples/$program" >"$work/$program.whole"
  grep -qF "$line" "$work/$program.whole" || { echo "$program: does not print \"$line\" at all"; return 1; }
  LD_PRELOAD=$library timeout 90 "$examples/$program" >"$work/$program.out" 2>"$work/$program.err" || status=$?
  [ "$status" = 1 ] || { echo "$program: exit code $status without the post"; cat "$work/$program".{out,err}; return 1; }
  ! grep -qF "$line" "$work/$program.out" || { echo "$program: printed \"$line\" without the post"; return 1; }
}

left_out "Parent: received signal!" posix_semaphore_example & all=($!)
left_out "never over 1" semaphore-exclusion & all+=($!)
left_out "never over 3" semaphore-counting & all+=($!)
left_out "signaled through shared memory" semaphore-unnamed & all+=($!)
left_out "Parent in critical section 4" sysv_semaphore_example & all+=($!)
left_out "Consumer: read" sysv-producer-consumer & all+=($!)
left_out "CORRECT: one order" deadlock & all+=($!)
left_out "CORRECT:" race & all+=($!)
failed=0
for one in "${all[@]}"; do
  wait "$one" || failed=1
done
[ "$failed" = 0 ] && echo "no program goes on without the post that it waits for"
exit "$failed"
