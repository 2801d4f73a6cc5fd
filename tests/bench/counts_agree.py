#!/usr/bin/env python3
"""Holds what `tenon bench` prints of system calls and context switches against what others count of the same run:
strace -c, and getrusage(2) of its processes after they are gone.

    counts_agree.py TENON

The calls are those that a mechanism alone makes, so that the harness's own are not among them. Exit 1 if a figure
of calls differs by more than 3%, 77 where none could be counted. The switches are printed beside each other: of those of
the whole run some fall between the blocks that are looked at, and on a busy machine more are others' doing."""
import json
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


def bench(tenon, file, mechanism, before=()):
    command = [*before, tenon, "bench", "--quick", "--anyway", "--json", file, mechanism, "--pattern", "oneway",
               "--wait", "sleep"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (row,) = json.load(open(file))["rows"]
    return row, sum(repeat["operations"] for repeat in row["repeats"])


def counted_by_strace(path, names):
    counts = {}
    for line in open(path):
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            counts[found[2]] = int(found[1])
    return sum(counts.get(name, 0) for name in names)


def report(what, printed, other, most):
    apart = abs(printed / other - 1)
    print(f"{what:40} printed {printed:7.3f}, counted by others {other:7.3f}, {100 * apart:5.1f}% apart"
          + ("" if apart <= most else "  TOO FAR"))
    return apart <= most


def main():
    tenon = sys.argv[1]
    good, compared = True, 0
    with tempfile.TemporaryDirectory() as directory:
        file, trace = f"{directory}/run.json", f"{directory}/trace"
        for mechanism, names in CALLS.items() if shutil.which("strace") else ():
            row, messages = bench(tenon, file, mechanism, ["strace", "-f", "-c", "-o", trace])
            if row["system_calls"] is None:
                print(f"{mechanism}: system calls cannot be counted here")
                continue
            calls = counted_by_strace(trace, names)
            compared += 1
            good &= report(f"{mechanism}: calls per message", row["system_calls"]["median"], calls / messages, 0.03)
        for mechanism in ("posix_memory", "sysv_memory", "posix_queue"):
            # The bare ring beside it never sleeps, so nearly all switches of the run are this one's.
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            row, messages = bench(tenon, file, mechanism)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            switches = after.ru_nvcsw - before.ru_nvcsw + after.ru_nivcsw - before.ru_nivcsw
            print(f"{mechanism}: switches per message printed {row['context_switches']['median']:.4f}, "
                  f"of the whole run {switches / messages:.4f}")
    if compared == 0:
        print("skipped: strace(1) is not installed, or nobody may count system calls here")
        sys.exit(77)
    sys.exit(0 if good else 1)


main()
