#!/bin/bash
# One program over five mechanisms by changing its URI: a producer and a consumer that know nothing of what lies between
# them, and each time the sum of what was consumed is that of what was produced.
#
#     five_mechanisms.sh [TENON]      the program, if it is not in PATH
set -euo pipefail
tenon=${1:-tenon}
export TENON_DOMAIN=/dev/shm/tenon-five-$$
place=$(mktemp -d)
# Who ends leaves nothing behind, so the domain is empty when all have: rmdir fails where it is not.
end() {
  jobs -p | xargs -r kill 2>/dev/null || true
  wait
  rm -rf "$place"
  rmdir "$TENON_DOMAIN"
}
trap end EXIT

count=10000
produce() { seq "$count" | "$tenon" send "$1" --lines; }
consume() { "$tenon" recv "$1" --lines | awk '{ sum += $1 } END { print NR, sum }'; }

wanted="$count $((count * (count + 1) / 2))"
for uri in "fifo:$place/fifo" "seqpacket:$place/socket" "shm:numbers-$$" "queue:numbers" "stream:numbers"; do
  produce "$uri" &
  got=$(consume "$uri")
  wait $!
  echo "${uri%%:*}: $got"
  [ "$got" = "$wanted" ] || { echo "five_mechanisms: $uri: wanted $wanted" >&2; exit 1; }
done
