#!/bin/bash
# tour_control_test.sh TENON EXAMPLES: the tour must fail for a program that prints nothing, prints too much, prints
# something else, leaves something behind, exits with an error or is not there, and for no other.
set -euo pipefail
tenon=$1 examples=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-tour-control.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/cli"
cp "$tenon" "$work/cli/tenon"

# expect WANTED WHAT: pipe_example is what stands on standard input; the tour's exit code must be WANTED.
expect() {
  local wanted=$1 what=$2 got=0
  rm -rf "$work/examples"
  cp -r "$examples" "$work/examples"
  cat >"$work/examples/$3"
  chmod +x "$work/examples/$3"
  "$work/cli/tenon" tour >"$work/out" || got=$?
  [ "$got" = "$wanted" ] || { echo "a program that $what: exit code $got, not $wanted"; cat "$work/out"; exit 1; }
  local failed
  failed=$(grep -c '^FAIL' "$work/out" || true)
  [ "$failed" = "$wanted" ] || { echo "a program that $what: $failed entries failed, not $wanted"; exit 1; }
}

expect 0 'does as the table says' pipe_example <<<'#!/bin/sh
echo "Child received: Hello from parent!"'
expect 1 'does not send' pipe_example <<<'#!/bin/sh
exit 0'
expect 1 'sends something else' pipe_example <<<'#!/bin/sh
echo "Child received: Hello from child!"'
expect 1 'sends it twice' pipe_example <<<'#!/bin/sh
echo "Child received: Hello from parent!"
echo "Child received: Hello from parent!"'
expect 1 'fails after printing' pipe_example <<<'#!/bin/sh
echo "Child received: Hello from parent!"
exit 3'
expect 1 'leaves its FIFO behind' fifo_example <<<'#!/bin/sh
mkfifo "$1"
echo "Received: Hello via FIFO!"'

# One that is not there fails its entry alone, and who was started to meet it does not run on.
rm -rf "$work/examples"
cp -r "$examples" "$work/examples"
rm "$work/examples/fifo_writer"
got=0
"$work/cli/tenon" tour fifo_writer fifo-hello >"$work/out" || got=$?
[ "$got" = 1 ] && [ "$(grep -c '^FAIL fifo_writer' "$work/out")" = 1 ] && grep -q '^ok .*fifo-hello' "$work/out" &&
  grep -q -- '-> fifo_writer could not be started: .*not found' "$work/out" ||
  { echo "a program that is not there: exit code $got"; cat "$work/out"; exit 1; }
if ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q "$work/examples/"; then
  echo "a program that is not there: its peer runs on"; exit 1
fi
echo "the tour fails where it must, and only there"
