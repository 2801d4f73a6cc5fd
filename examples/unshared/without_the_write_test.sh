#!/bin/bash
# without_the_write_test.sh EXAMPLES UNSHARED: programs that share memory must print nothing as read, and exit with 1, when
# what one of them writes is seen by nobody else. UNSHARED gives each process that writes a copy of its own.
set -euo pipefail
examples=$1 unshared=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-without-write.XXXXXX")
trap 'rm -rf "$work"' EXIT

# left_out LINE PROGRAM [ARGUMENT…]: with its writes to itself, it must not print LINE.
left_out() {
  local line=$1 status=0
  shift
  timeout 60 env LD_PRELOAD="$unshared" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ "$status" = 1 ] || { echo "$1: exit code $status without the write"; cat "$work/out" "$work/err"; exit 1; }
  ! grep -qF "$line" "$work/out" || { echo "$1: printed \"$line\" without the write"; exit 1; }
}

left_out "Parent read" "$examples/posix_memory_example"
left_out "value read" "$examples/shm-persists"
left_out "counter exact" "$examples/shm-mutex"
left_out "shared changed" "$examples/process-isolation"
left_out "Parent read" "$examples/sysv_memory_example"

# The pair: a writer whose segment stays empty, and waits in vain for somebody to read it.
env LD_PRELOAD="$unshared" timeout 60 "$examples/sysv-shm-writer" "$work" >"$work/writer" 2>&1 </dev/null &
status=0
"$examples/sysv-shm-reader" "$work" >"$work/out" 2>"$work/err" || status=$?
[ "$status" = 1 ] || { echo "sysv-shm-reader: exit code $status beside a writer that wrote nothing"; exit 1; }
! grep -q "Reader" "$work/out" || { echo "sysv-shm-reader: read what was not written"; exit 1; }
status=0
wait "$!" || status=$?
[ "$status" = 1 ] || { echo "sysv-shm-writer: exit code $status although nobody has read"; exit 1; }
echo "no program reads what was not written"
