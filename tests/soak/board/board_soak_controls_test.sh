#!/bin/bash
# board_soak_controls_test.sh BOARD_SOAK: what the soak itself does wrong it must find, and say as what; and where nobody
# is killed, it must say that nothing was proved.
set -uo pipefail
soak=$1
. "$(dirname "$0")/../expect.sh"
expect "a torn value" "a value is torn" --fault torn
expect "a count that goes back" "went back" --fault back
expect "nobody killed" "This proves nothing: nobody was killed" --without-kills --values 100000
[ "$failures" -eq 0 ]
