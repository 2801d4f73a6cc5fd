"""What callgrind counted of the hot paths, per operation, without the C library.

The C library chooses its memcpy() by the processor and by the sizes of its caches, so its own instructions differ from
machine to machine, and they are none of ours: of it the calls are counted, not what they do. All else is as the compiler
wrote it. Only the thread that runs the paths counts: what the others do, which listen for deaths, depends on time.
"""
import collections
import glob
import os
import re
import subprocess
import tempfile

OPERATIONS = 1000
LIMIT = 300  # seconds
NOT_OURS = re.compile(r"/(libc\.so|libc-|ld-linux|libm\.so|libpthread)")

Cost = collections.namedtuple("Cost", "instructions calls")


class CannotCount(Exception):
    """The program, or callgrind, did not get to its end."""


def cost_of(lines):
    """One dump: instructions outside the C library, and calls into it."""
    instructions = calls = 0
    own, called_own, inclusive = True, None, False
    for line in lines:
        if line.startswith("ob="):
            own = not NOT_OURS.search(line)
        elif line.startswith("cob="):
            called_own = not NOT_OURS.search(line)
        elif line.startswith("calls="):
            if own and called_own is False:
                calls += int(line[len("calls="):].split()[0])
            called_own, inclusive = None, True
        elif line[:1].isdigit() or line[:1] in "+-*":
            # What follows `calls=` is what the called one took, which has lines of its own.
            if own and not inclusive:
                instructions += sum(map(int, line.split()[1:]))  # a line may give a position and no cost
            inclusive = False
    return Cost(instructions, calls)


def dumps_of(folder):
    """(times, path) → what its first thread took."""
    found = {}
    for file_name in glob.glob(os.path.join(folder, "part.*-01")):
        with open(file_name, encoding="utf-8") as file:
            lines = file.read().splitlines()
        mark = next((line for line in lines if line.startswith("desc: Trigger: Client Request: ")), None)
        if mark:
            times, _, name = mark.removeprefix("desc: Trigger: Client Request: ").partition(" ")
            found[int(times), name] = cost_of(lines)
    return found


def count(program, names=()):
    """Path → its Cost per operation: of twice as many operations what they take more than of once as many."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--compress-strings=no", "--compress-pos=no",
                   "--callgrind-out-file=part", program, str(OPERATIONS), *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
        if done.returncode != 0:
            raise CannotCount(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        found = dumps_of(folder)
    counted = {}
    for times, name in sorted(found, key=lambda key: key[1]):
        if times == 1:
            once, twice = found[1, name], found[2, name]
            counted[name] = Cost(*((more - less) / OPERATIONS for less, more in zip(once, twice)))
    return counted
