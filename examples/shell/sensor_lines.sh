#!/bin/bash
# A sensor that is a shell script: it publishes what it measures, one JSON object a line, and two others listen: one
# prints what comes, one looks how fast it comes.
#
#     sensor_lines.sh [TENON]      the program, if it is not in PATH
set -euo pipefail
tenon=${1:-tenon}
export TENON_DOMAIN=/dev/shm/tenon-sensor-$$
seen=$(mktemp)
# Who ends leaves nothing behind, so the domain is empty when both have: rmdir fails where it is not.
end() {
  jobs -p | xargs -r kill 2>/dev/null || true
  wait
  rm -f "$seen"
  rmdir "$TENON_DOMAIN"
}
trap end EXIT

type='Reading{u64 number, f64 celsius, FixedString<16> sensor}'
count=20

measure() {
  for ((i = 0; i < count; ++i)); do
    echo "{\"number\": $i, \"celsius\": $((20 + i % 3)).5, \"sensor\": \"roof\"}"
  done
}

# A viewer may come first: it says what it expects.
"$tenon" echo readings --type "$type" --count "$count" >"$seen" &
viewer=$!
measure | "$tenon" pub readings --json --type "$type" --subscribers 1 --rate 100 &
sensor=$!

# Until somebody takes part, there is nothing to look at.
until "$tenon" hz readings --interval 0.05 --count 1 2>/dev/null; do
  kill -0 "$sensor" 2>/dev/null || break
done

wait "$sensor" "$viewer"
tail -n 1 "$seen"
[ "$(wc -l <"$seen")" = "$count" ]
[ "$(tail -n 1 "$seen")" = 'number=19 celsius=21.5 sensor="roof"' ]
