#!/usr/bin/env python3
"""compare.py [--accept] [--recorded FILE] PROGRAM [NAME…]: what the hot paths cost beside what was recorded of them.

Runs PROGRAM, which is bench/guard, under callgrind, and compares instructions and calls of the C library per operation with
FILE. Ends with 1, and names the path, if one takes more than 3% more than recorded, is not recorded, or is recorded and not
there any more; with 77, and the reason, where nothing can be compared: the figures are those of one compiler, its flags and
one Valgrind. --accept records what was counted. With names, only the paths whose names contain one of these.
"""
import argparse
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing beside the sources
from counted import CannotCount, Cost, count  # noqa: E402
from record import Record, way_of  # noqa: E402

MOST = 1.03
AS_GOOD_AS_NOTHING = 0.02  # of an operation: what is done once in fifty has no per cents
COLUMNS = ("instructions", "calls")
RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
SKIPPED = 77


def told_of(program):
    """Of what the figures will be: the build says it in a file beside the program."""
    with open(os.path.join(os.path.dirname(program), "guard.built"), encoding="utf-8") as file:
        built = file.read().strip()
    return {"built": built, "counted by": subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()}


def is_more(old, new):
    return new > old * MOST + AS_GOOD_AS_NOTHING


def change(old, new):
    return f"{old:.2f} → {new:.2f}" + (f" ({(new / old - 1) * 100:+.1f}%)" if old else "")


def judged(recorded, counted):
    """Name → (recorded Cost or None, what there is to say, whether it fails)."""
    ways = {way_of(name)[0]: way_of(name)[1] for name in recorded}
    judgement = {}
    for name, new in counted.items():
        plain, way = way_of(name)
        old = recorded.get(name)
        if old is None and plain in ways:
            judgement[name] = None, f"not compared: recorded [{ways[plain]}], here [{way}]", False
        elif old is None:
            judgement[name] = None, "not recorded", True
        else:
            old = Cost(*old)
            worse = [f"{what} {change(before, now)}" for what, before, now in zip(COLUMNS, old, new) if is_more(before, now)]
            better = not worse and any(is_more(now, before) for before, now in zip(old, new))
            judgement[name] = old, "worse: " + ", ".join(worse) if worse else "better" if better else "", bool(worse)
    plain_counted = {way_of(name)[0] for name in counted}
    for name, old in recorded.items():
        if way_of(name)[0] not in plain_counted:
            judgement[name] = Cost(*old), "recorded, and not counted any more", True
    return judgement


def print_table(judgement, counted):
    print("per operation: instructions outside the C library, and calls of it; recorded, then now")
    row = "{:<66} {:>9} {:>9} {:>6} {:>6}  {}"
    print(row.format("path", "recorded", "now", "calls", "now", ""))
    for name in sorted(judgement):
        old, said, _ = judgement[name]
        new = counted.get(name)
        figures = [f"{figure:.2f}" if figure is not None else "–" for at in (0, 1)
                   for figure in (old and old[at], new and new[at])]
        print(row.format(name, *figures, said))


def is_chosen(name, names):
    return not names or any(part in name for part in names)


def accept(arguments, told, recorded, counted):
    """With names, what was not asked for stays as it was, where it was recorded of the same."""
    kept = {}
    if arguments.names and recorded.told == told:
        kept = {name: cost for name, cost in recorded.rows.items() if not is_chosen(name, arguments.names)}
    Record(COLUMNS, told, {**kept, **counted}).write(arguments.recorded)
    print(f"recorded {len(counted)} paths in {arguments.recorded}")
    return 0


def compare(arguments, recorded, counted):
    chosen = {name: cost for name, cost in recorded.rows.items() if is_chosen(name, arguments.names)}
    judgement = judged(chosen, counted)
    print_table(judgement, counted)
    failed = [f"{name}: {said}" for name, (_, said, fails) in sorted(judgement.items()) if fails]
    if not failed:
        print(f"{len(counted)} paths, none takes more than {(MOST - 1) * 100:.0f}% more than recorded")
        return 0
    print("\n".join(failed))
    print("If that is meant, record it, and say why in the commit: ./dev bench --guard --accept")
    return 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--recorded", default=RECORDED)
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed; scripts/install test installs it")
        return SKIPPED
    arguments.program = os.path.abspath(arguments.program)
    told = told_of(arguments.program)
    recorded = Record.read(arguments.recorded, COLUMNS)
    if not arguments.accept and recorded.told != told:
        print(f"skipped: recorded of {'; '.join(recorded.told.values()) or 'nothing'}, and this is {'; '.join(told.values())}")
        return SKIPPED
    try:
        counted = count(arguments.program, arguments.names)
    except (CannotCount, subprocess.TimeoutExpired) as error:
        sys.exit(f"guard: nothing was counted: {error}")
    return accept(arguments, told, recorded, counted) if arguments.accept else compare(arguments, recorded, counted)


if __name__ == "__main__":
    sys.exit(main())
