#!/bin/bash
# deadlock_refused_test.sh EXAMPLES TENON: the inverted order is refused by name, both chains told, and `tenon locks` shows
# it. Numbers of processes, threads and sets differ from run to run, so they are shown as N, and paths by their last part.
set -euo pipefail
examples=$1 tenon=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-deadlock.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TENON_DOMAIN=$work/domain

same() { sed -E 's#[^ ]*/(deadlock-refused.cpp:)#\1#g; s/(pid|thread) [0-9]+/\1 N/g; s/^(sem.*) [0-9]+ \(/\1 N (/; s/ +/ /g'; }
expect() {
  diff -u <(echo "$1") <(same <"$2") || { echo "FAILED: $3 prints something else"; exit 1; }
}

timeout 50 "$examples/deadlock-refused" >"$work/out"
expect 'One process: P(sem1) P(sem2)
Another: P(sem2) P(sem1) is refused:
lock("sem1"): deadlock: thread N of pid N (deadlock-refuse) holds sem2 (taken at deadlock-refused.cpp:30) and wants sem1 at deadlock-refused.cpp:31; but thread N of pid N (deadlock-refuse) held sem1 (taken at deadlock-refused.cpp:21) and wanted sem2 at deadlock-refused.cpp:22' \
  "$work/out" deadlock-refused

"$tenon" locks >"$work/locks"
expect 'Nobody holds any of them.

FIRST THEN BY FIRST AT THEN AT
sem1 sem2 N (deadlock-refuse) deadlock-refused.cpp:21 deadlock-refused.cpp:22
sem2 sem1 refused N (deadlock-refuse) deadlock-refused.cpp:30 deadlock-refused.cpp:31

2 locks, 0 held, 1 orders, 1 refused' "$work/locks" "tenon locks"
echo "the inverted order was refused by name, and tenon locks shows it"
