#!/usr/bin/env python3
"""Holds the limits that `tenon bench limits` prints against small C programs that know nothing of it, in turns.

    limits_agree.py TENON [ROUNDS]

Prints a line for each; exit 1 if the medians of the rounds differ by more than 15%. For a quiet machine."""
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "limits")
LIMITS = {
    "one cache line, there and back": ["line"],
    "futex, there and back asleep, across cores": ["wake", "futex", "1"],
    "futex, there and back asleep, one core": ["wake", "futex", "0"],
    "eventfd, there and back asleep, across cores": ["wake", "eventfd", "1"],
    "eventfd, there and back asleep, one core": ["wake", "eventfd", "0"],
    "bare system call, getppid": ["alone", "call", "0"],
    "clock_gettime, CLOCK_MONOTONIC": ["alone", "clock", "0"],
    "memcpy, hot, 64 KiB": ["alone", "copy", "65536"],
}


def main():
    tenon = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ours = {name: [] for name in LIMITS}
    theirs = {name: [] for name in LIMITS}
    with tempfile.TemporaryDirectory() as directory:
        for program in {command[0] for command in LIMITS.values()}:
            subprocess.run(["cc", "-O2", "-o", f"{directory}/{program}", f"{HERE}/{program}.c"], check=True)
        for _ in range(rounds):
            file = f"{directory}/run.json"
            subprocess.run([tenon, "bench", "--quick", "--anyway", "--json", file, "limits"], check=True,
                           stdout=subprocess.DEVNULL)
            for row in json.load(open(file))["limits"]:
                if row["name"] in ours:
                    ours[row["name"]].append(row["ns_per_operation"])
            for name, command in LIMITS.items():
                told = subprocess.run([f"{directory}/{command[0]}", *command[1:]], check=True, capture_output=True, text=True)
                theirs[name].append(float(told.stdout))
    good = True
    for name in LIMITS:
        own, other = statistics.median(ours[name]), statistics.median(theirs[name])
        fits = abs(own / other - 1) <= 0.15
        good &= fits
        print(f"{name:48} {own:10.1f} ns, by another program {other:10.1f} ns, {100 * (own / other - 1):+6.1f}%"
              + ("" if fits else "  TOO FAR"))
    sys.exit(0 if good else 1)


main()
