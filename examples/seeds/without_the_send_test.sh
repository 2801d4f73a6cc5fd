#!/bin/bash
# without_the_send_test.sh EXAMPLES: with the send left out, each program must print nothing as received and exit with 1.
# strace leaves it out: the write says that it wrote all, and does nothing.
set -euo pipefail
examples=$1
command -v strace >/dev/null || { echo "skipped: strace is not installed"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-without-send.XXXXXX")
trap 'rm -rf "$work"' EXIT

# left_out WHICH BYTES LINE PROGRAM [ARGUMENT…]: without its write number WHICH, of so many bytes, it must not print LINE.
left_out() {
  local which=$1 bytes=$2 line=$3 status=0
  shift 3
  timeout 60 strace -f -qq -o "$work/strace" -e trace=pwritev2 -e "inject=pwritev2:retval=$bytes:when=$which" "$@" \
    >"$work/out" 2>"$work/err" || status=$?
  grep -q INJECTED "$work/strace" || { echo "$1: no write was left out"; exit 1; }
  [ "$status" = 1 ] || { echo "$1: exit code $status without the send"; cat "$work/out" "$work/err"; exit 1; }
  ! grep -qF "$line" "$work/out" || { echo "$1: printed \"$line\" without the send"; exit 1; }
}

left_out 1 18 "Child received" "$examples/pipe_example"
left_out 1 18 "Child received" "$examples/pipe-hello"
left_out 18 8 "EOF" "$examples/pipe-full"
left_out 1 15 "Received" "$examples/fifo_example" "$work/fifo"
left_out 1 4 "pong" "$examples/fifo-duplex" "$work/duplex"

# The readers of the pairs, beside a writer that opens the FIFO and leaves without a word.
for reader in fifo_reader fifo-hello-reader; do
  mkfifo -m 600 "$work/pair"
  : >"$work/pair" &
  status=0
  "$examples/$reader" "$work/pair" >"$work/out" 2>"$work/err" || status=$?
  wait
  [ "$status" = 1 ] || { echo "$reader: exit code $status beside a silent writer"; exit 1; }
  ! grep -q "Received" "$work/out" || { echo "$reader: received from a silent writer"; exit 1; }
  rm -f "$work/pair"
done
echo "no program receives what was not sent"
