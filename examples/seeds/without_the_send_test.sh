#!/bin/bash
# without_the_send_test.sh EXAMPLES: with the send left out, each program must print nothing as received and exit with 1.
# strace leaves it out: the write says that it wrote all, and does nothing.
set -euo pipefail
examples=$1
command -v strace >/dev/null || { echo "skipped: strace is not installed"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/tenon-without-send.XXXXXX")
trap 'rm -rf "$work"' EXIT

# left_out WHICH BYTES LINE PROGRAM [ARGUMENT…]: without its write number WHICH, of so many bytes, it must not print LINE.
# CALL names another call than pwritev2.
left_out() {
  local which=$1 bytes=$2 line=$3 status=0 call=${CALL:-pwritev2}
  shift 3
  timeout 60 strace -f -qq -o "$work/strace" -e "trace=$call" -e "inject=$call:retval=$bytes:when=$which" "$@" \
    >"$work/out" 2>"$work/err" || status=$?
  grep -q INJECTED "$work/strace" || { echo "$1: no write was left out"; exit 1; }
  [ "$status" = 1 ] || { echo "$1: exit code $status without the send"; cat "$work/out" "$work/err"; exit 1; }
  ! grep -qF "$line" "$work/out" || { echo "$1: printed \"$line\" without the send"; exit 1; }
}

left_out 1 18 "Child received" "$examples/pipe_example"
left_out 1 18 "Child received" "$examples/pipe-hello"
left_out 18 8 "EOF" "$examples/pipe-full"
left_out 1 15 "Received" "$examples/fifo_example" "$work/fifo"
left_out 1 4 "pong" "$examples/fifo-duplex" "$work/duplex"
CALL=sendto left_out 1 18 "received" "$examples/unix_stream_example" "$work/socket"
CALL=sendto left_out 1 3 "boundaries kept" "$examples/unix_datagram_example" "$work/datagrams"
secret=$work/secret
CALL=sendmsg left_out 1 ${#secret} "works" "$examples/descriptor_passing_example" "$secret"

# Each of a pair beside one that leaves its send out.
"$examples/uds-server" "$work/uds" >"$work/server" 2>&1 &
server=$!
CALL=sendto left_out 1 18 "Received" "$examples/uds-client" "$work/uds"
status=0
wait "$server" || status=$?
[ "$status" = 1 ] || { echo "uds-server: exit code $status beside a silent client"; exit 1; }
! grep -q "Received" "$work/server" || { echo "uds-server: received from a silent client"; exit 1; }

# call_left_out CALL LINE PROGRAM [ARGUMENT…]: the same for another call, in each process the first of its kind. Runs beside
# the others, since each waits its ten seconds for what does not come.
call_left_out() {
  local call=$1 line=$2 status=0 own
  shift 2
  own=$(mktemp -d "$work/XXXXXX")
  timeout 60 strace -f -qq -o "$own/strace" -e "trace=$call" -e "inject=$call:retval=0:when=1" "$@" \
    >"$own/out" 2>"$own/err" || status=$?
  grep -q INJECTED "$own/strace" || { echo "$1: no $call was left out"; return 1; }
  [ "$status" = 1 ] || { echo "$1: exit code $status without the send"; cat "$own/out" "$own/err"; return 1; }
  ! grep -qF "$line" "$own/out" || { echo "$1: printed \"$line\" without the send"; return 1; }
}

# The receiver of a pair, beside a sender whose message does not go.
queue_receiver_left_alone() {
  local name=$1 status=0
  strace -f -qq -o "$work/sender" -e trace=mq_timedsend -e inject=mq_timedsend:retval=0:when=1 \
    "$examples/mqueue_sender" "$name"
  "$examples/mqueue_receiver" "$name" >"$work/receiver" 2>&1 || status=$?
  [ "$status" = 1 ] || { echo "mqueue_receiver: exit code $status without the send"; return 1; }
  ! grep -q "Received" "$work/receiver" || { echo "mqueue_receiver: received what was not sent"; return 1; }
}

unique=${work##*/}
beside=()
call_left_out mq_timedsend "Received" "$examples/posix_queue_example" "/$unique-example" & beside+=($!)
call_left_out mq_timedsend "mq_curmsgs 1" "$examples/mqueue-attributes" "/$unique-attributes" & beside+=($!)
call_left_out mq_timedsend "full" "$examples/mqueue-nonblock" "/$unique-nonblock" & beside+=($!)
call_left_out mq_timedsend "low" "$examples/mqueue-priority" "/$unique-priority" & beside+=($!)
call_left_out mq_timedsend "each done once" "$examples/mqueue-workers" "/$unique-workers" & beside+=($!)
call_left_out mq_timedsend "reply" "$examples/mqueue-request" "/$unique-request" & beside+=($!)
call_left_out msgsnd "Message received" "$examples/sysv_queue_example" "$work" & beside+=($!)
queue_receiver_left_alone "/$unique-pair" & beside+=($!)

# The readers of the pairs, beside a writer that opens the FIFO and leaves without a word.
for reader in fifo_reader fifo-hello-reader; do
  mkfifo -m 600 "$work/pair"
  : >"$work/pair" &
  status=0
  "$examples/$reader" "$work/pair" >"$work/out" 2>"$work/err" || status=$?
  wait $!
  [ "$status" = 1 ] || { echo "$reader: exit code $status beside a silent writer"; exit 1; }
  ! grep -q "Received" "$work/out" || { echo "$reader: received from a silent writer"; exit 1; }
  rm -f "$work/pair"
done
for one in "${beside[@]}"; do
  wait "$one" || exit 1
done
echo "no program receives what was not sent"
