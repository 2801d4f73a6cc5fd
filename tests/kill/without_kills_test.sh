#!/bin/bash
# without_kills_test.sh KILL_TABLE: with the kills taken out, the table must say of each way, at each level, that nothing
# was tried, and end with exit code 1: not with another, and for no other reason.
set -uo pipefail
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
code=0
"$1" --only "robust mutex" --stride 50 --pairs 10 --without-kills --json "$lines" || code=$?

failures=0
expect() {
  if [ "$2" = "$3" ]; then
    echo "ok     $1"
  else
    failures=$((failures + 1))
    printf 'FAILED %s: wanted "%s", not "%s"\n' "$1" "$2" "$3"
  fi
}
of() { grep -o "\"$1\":\"[^\"]*\"" "$lines" | cut -d '"' -f 4 | sort | uniq -c | xargs; }

expect "the exit code is 1" 1 "$code"
expect "each way is there, at both levels" "2 kill 4 preempt 2 recovery 2 soak" "$(of mode)"
expect "each says that nothing was tried" "10 NOTHING TRIED" "$(of result)"
expect "none counts a kill" 10 "$(grep -c '"killed":0,' "$lines")"
expect "none has found anything" 10 "$(grep -c '"hangs":0,"leaks":0,"broken":0,' "$lines")"
[ "$failures" -eq 0 ]
