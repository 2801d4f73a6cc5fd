#!/usr/bin/env python3
"""Holds what `tenon bench` prints of system calls and context switches against what others count of the same run:
strace -c, and getrusage(2) of its processes after they are gone.

    counts_agree.py TENON

The calls are those that a mechanism alone makes, so that the harness's own are not among them. The switches are those of
round trips asleep, of which each end makes one for each message: what is printed of the mechanisms and of their limits,
times as often as they were done, is what the kernel counted of all their processes, less what a run takes whose ends spin.
Exit 1 if a figure of calls differs by more than 3%, or the switches by more than 10%, of which a busy machine makes some;
77 where none could be counted."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

CALLS = {
    "posix_queue": ["mq_timedsend", "mq_timedreceive"],
    "sysv_queue": ["msgsnd", "msgrcv"],
    "unix_datagram": ["sendto", "recvfrom"],
    "tcp": ["sendto", "recvfrom"],
}


SLEEPERS = ["pipe", "unix_stream", "posix_memory", "posix_queue"]
# As many rows of ends that spin, so that what it takes to begin each is the same; they have none on one processor.
SPINNERS = [*SLEEPERS, "fifo", "unix_seqpacket", "sysv_queue", "memfd"]


def bench(tenon, file, mechanisms, pattern, wait, before=()):
    command = [*before, tenon, "bench", "--quick", "--anyway", "--json", file, *mechanisms, "--pattern", pattern,
               "--wait", wait]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [row for row in json.load(open(file))["rows"] if "not_measured" not in row]


def messages_of(row):
    return sum(repeat["operations"] for repeat in row["repeats"])


def counted_by_kernel(run):
    """The context switches of all processes that it started, and what it returns."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw, result


def switches_of(rows):
    """Of the whole run, by what is printed."""
    return sum(repeat["operations"] * repeat["switches_per_operation"]
               + repeat["limit_operations"] * repeat["limit_switches_per_operation"]
               for row in rows for repeat in row["repeats"])


def counted_by_strace(path, names):
    counts = {}
    for line in open(path):
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            counts[found[2]] = int(found[1])
    return sum(counts.get(name, 0) for name in names)


def report(what, printed, other, most):
    apart = abs(printed / other - 1)
    print(f"{what:42} printed {printed:7.3f}, counted by others {other:7.3f}, {100 * apart:5.1f}% apart"
          + ("" if apart <= most else "  TOO FAR"))
    return apart <= most


def switches_agree(tenon, file):
    switches, rows = counted_by_kernel(lambda: bench(tenon, file, SLEEPERS, "roundtrip", "sleep"))
    beside, spun = counted_by_kernel(lambda: bench(tenon, file, SPINNERS, "roundtrip", "spin"))
    messages = sum(map(messages_of, rows))
    return report("switches per round trip and its limit's", switches_of(rows) / messages,
                  (switches - beside * len(rows) / len(spun)) / messages, 0.10)


def main():
    tenon = sys.argv[1]
    good, compared = True, 0
    with tempfile.TemporaryDirectory() as directory:
        file, trace = f"{directory}/run.json", f"{directory}/trace"
        for mechanism, names in CALLS.items() if shutil.which("strace") else ():
            (row,) = bench(tenon, file, [mechanism], "oneway", "sleep", ["strace", "-f", "-c", "-o", trace])
            if row["system_calls"] is None:
                print(f"{mechanism}: system calls cannot be counted here")
                continue
            calls = counted_by_strace(trace, names)
            compared += 1
            good &= report(f"{mechanism}: calls per message", row["system_calls"]["median"], calls / messages_of(row), 0.03)
        if len(os.sched_getaffinity(0)) >= 2:
            compared += 1
            good &= switches_agree(tenon, file)
    if compared == 0:
        print("skipped: there is one processor, and strace(1) is not installed or nobody may count system calls here")
        sys.exit(77)
    sys.exit(0 if good else 1)


main()
