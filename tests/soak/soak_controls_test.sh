#!/bin/bash
# soak_controls_test.sh TOPIC_SOAK: what the soak itself does wrong it must find, and say as what; and where nobody is
# killed, it must say that nothing was proved.
set -uo pipefail
failures=0

# expect WHAT WORDS ARGUMENTS…: exit code 1, and a line that has the words.
expect() {
  local what=$1 words=$2 code=0 said
  shift 2
  said=$("$soak" --messages 400000000 --minutes 0.5 "$@") || code=$?
  if [ "$code" = 1 ] && grep -q "$words" <<<"$said"; then
    echo "ok     $what"
  else
    failures=$((failures + 1))
    printf 'FAILED %s: exit code %s, without "%s":\n%s\n' "$what" "$code" "$words" "$said"
  fi
}

soak=$1
expect "a torn message" "a message is torn" --fault torn
expect "a number that a publisher leaves out" "was next" --fault skipped
expect "a message that a reliable subscriber passes over" "reliable subscriber of .*number" --fault swallowed
expect "a gap that was not told" "lossy subscriber of .*number" --fault uncounted
expect "a descriptor" "left descriptors open" --fault descriptor
expect "a file" "the domain has kept topic.left" --fault file
expect "nobody killed" "This proves nothing: nobody was killed" --without-kills --messages 100000
[ "$failures" -eq 0 ]
