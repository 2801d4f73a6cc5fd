#!/bin/bash
# soak_controls_test.sh TOPIC_SOAK: what the soak itself does wrong it must find, and say as what; and where nobody is
# killed, it must say that nothing was proved.
set -uo pipefail
soak=$1
. "$(dirname "$0")/expect.sh"
expect "a torn message" "a message is torn" --fault torn
expect "a number that a publisher leaves out" "was next\|not the one that the topic tells" --fault skipped
expect "a message that a reliable subscriber passes over" "reliable subscriber of .*number" --fault swallowed
expect "a gap that was not told" "lossy subscriber of .*number" --fault uncounted
expect "a descriptor" "left descriptors open" --fault descriptor
expect "a file" "the domain has kept topic.left" --fault file
expect "nobody killed" "This proves nothing: nobody was killed" --without-kills --messages 100000
[ "$failures" -eq 0 ]
