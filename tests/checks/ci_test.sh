#!/bin/bash
# ci_test.sh SOURCE: .ci/run with an installation, tests and checks that are played: its last line must tell how many
# passed and failed whatever became of them, and must not count what was skipped.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/.ci" "$work/scripts"
cp "$1/.ci/run" "$work/.ci/"
failures=0

# played FILE BODY: a program in the place of one that .ci/run starts.
played() {
  printf '#!/bin/bash\n%s\n' "$2" >"$work/$1"
  chmod +x "$work/$1"
}
# expect WHAT CODE LAST_LINE: how .ci/run ends with what is played.
expect() {
  local said code=0
  said=$("$work/.ci/run" 2>&1) || code=$?
  if [ "$code/$(tail -n 1 <<<"$said")" = "$2/$3" ]; then
    echo "ok     $1"
  else
    failures=$((failures + 1))
    printf 'FAILED %s\n  wanted %s and "%s"; exit code %s, said:\n%s\n' "$1" "$2" "$3" "$code" "$said"
  fi
}
checks_pass='echo "8 checks passed, 0 failed"'

played scripts/install ''
played test 'echo "100% tests passed, 0 tests failed out of 40"'
played dev "$checks_pass"
expect "all pass" 0 "48 passed, 0 failed"

played test 'echo "skipped a.test: no spin"; echo "skipped in all: 3"; echo "100% tests passed, 0 tests failed out of 40"'
expect "three tests are skipped" 0 "45 passed, 0 failed"

played test 'echo "skipped in all: 3"; echo "97% tests passed, 1 tests failed out of 40"; exit 8'
expect "one fails beside them" 1 "44 passed, 1 failed"

played test 'echo "100% tests passed, 0 tests failed out of 40"; exit 1'
expect "all pass and yet ./test fails" 1 "48 passed, 1 failed"

played test 'echo "it does not build"; exit 1'
expect "the tests do not come to a summary" 1 "8 passed, 1 failed"

played test 'echo "100% tests passed, 0 tests failed out of 40"'
played dev 'echo "7 checks passed, 1 failed"; exit 1'
expect "a check fails" 1 "47 passed, 1 failed"

played dev 'echo "no python"; exit 1'
expect "the checks do not come to a summary" 1 "40 passed, 1 failed"

played scripts/install 'echo "no network" >&2; exit 1'
played dev "$checks_pass"
expect "nothing can be installed" 1 "0 passed, 1 failed"

[ "$failures" -eq 0 ]
