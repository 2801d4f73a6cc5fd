#!/bin/bash
# demo_test.sh SOURCE: ./demo with a command line that is played: it must tell equal from different and from failed,
# must not wait for an end whose other end has failed, and must leave nothing behind, interrupted or not.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/scripts" "$work/tree/build/release/cli" "$work/temporary" "$work/fifos"
cp "$1/demo" "$work/tree/"
channels=$(grep -cE '^  "[a-z-]+ +(piped|named) ' "$1/demo")
for script in install build; do
  printf '#!/bin/bash\n' >"$work/tree/scripts/$script"
  chmod +x "$work/tree/scripts/$script"
done
tenon=$work/tree/build/release/cli/tenon
failures=0

# play SEND RECEIVE: what `tenon send URI FILE` ($2 is FILE) and `tenon recv URI -o FILE` ($3 is FILE) do. Between the ends
# of a channel that is no pipe of the shell lies $fifo, whatever its kind.
play() {
  cat >"$tenon" <<PLAYED
#!/bin/bash
[ "\$1" != tour ] || exit 0
verb=\$1
shift
fifo=
case \$1 in
  pipe:*) ;;
  *) fifo=$work/fifos/\${1//\//_}; [ -p "\$fifo" ] || mkfifo "\$fifo" 2>/dev/null ;;
esac
send() { $1; }
receive() { $2; }
if [ "\$verb" = send ]; then
  [ -z "\$fifo" ] || exec >"\$fifo"
  send "\$@"
else
  [ -z "\$fifo" ] || exec <"\$fifo"
  receive "\$@"
fi
PLAYED
  chmod +x "$tenon"
}
run() {
  rm -f "$work"/fifos/*
  said=$(TMPDIR=$work/temporary timeout 60 "$work/tree/demo" 1 2>&1 </dev/null)
  code=$?
}
expect() {
  if [ "$2" = true ] && [ -z "$(ls -A "$work/temporary")" ]; then
    echo "ok     $1"
  else
    failures=$((failures + 1))
    printf 'FAILED %s\n  exit code %s, left behind: %s, said:\n%s\n' "$1" "$code" "$(ls -A "$work/temporary")" "$said"
  fi
}
rows() { grep -cE "^[a-z-]+ +$1" <<<"$said"; }
holds() { "$@" >/dev/null && echo true || echo false; }

play 'cat "$2"' 'cat >"$3"'
run
expect "ends with 0 and all rows equal when all arrives" "$(holds [ "$code/$(rows '[0-9]+ +equal')" = "0/$channels" ])"

play 'cat "$2"' 'tr a b >"$3"'
run
expect "ends with 1 and tells what arrived differently" "$(holds [ "$code/$(rows '- +DIFFERENT')" = "1/$channels" ])"

play 'cat "$2"' 'cat >"$3"; exit 1'
run
expect "counts a receiver's exit code although all arrived" "$(holds [ "$code/$(rows '- +FAILED')" = "1/$channels" ])"

# What is played sleeps until it is ended.
sleeping='exec sleep 1000 >/dev/null'

play 'exit 1' '[ -z "$fifo" ] || { '"$sleeping"'; }'
run
expect "does not wait for a receiver whose sender has failed" "$(holds [ "$code/$(rows '- +FAILED')" = "1/$channels" ])"

play '[ -z "$fifo" ] || { '"$sleeping"'; }' 'exit 1'
run
expect "does not wait for a sender whose receiver has failed" "$(holds [ "$code/$(rows '- +FAILED')" = "1/$channels" ])"

# Interrupted while the fifo's receiver waits: told by a file, not by time.
play '[ -z "$fifo" ] && cat "$2" || { touch '"$work"'/sending; }; [ -z "$fifo" ] || { '"$sleeping"'; }' 'cat >"$3"'
TMPDIR=$work/temporary setsid "$work/tree/demo" 1 >"$work/said" 2>&1 </dev/null &
demo=$!
until [ -e "$work/sending" ]; do sleep 0.02; done
kill -TERM -- "-$demo"
wait "$demo"
code=$?
said=$(cat "$work/said")
expect "ends with 143 and leaves nothing behind when it is ended" "$(holds [ "$code" = 143 ])"

[ "$failures" -eq 0 ]
