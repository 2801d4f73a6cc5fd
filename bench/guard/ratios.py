#!/usr/bin/env python3
"""ratios.py [--accept] [--recorded FILE] FOLDER: what hot paths take beside their physical limits, and beside what was
recorded of them.

Runs the benchmarks in FOLDER (build/release/bench). A ratio is measured in pairs with its limit, so it hardly depends on
the machine's speed, but it does on who else runs there: a row that seems more than 30% worse than recorded in FILE is
measured again, up to five times in all, and fails only if the median of its ratios is that much worse. For a quiet machine;
CI runs compare.py alone.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing beside the sources
from record import Record  # noqa: E402

MOST = 1.30
LOOKS = 5
LIMIT = 900  # seconds for one program: a watchdog, not a bound
COLUMNS = ("ratio",)
RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ratios.txt")

# Program → the rows that are guarded, as parts of their names.
GUARDED = {
    "topic": ["8 B there and back, depth 1,024, spin, exact", "8 B one way, depth 1,024, spin, exact",
              "1 KiB one way, depth 4,096, spin, no times"],
    "queue": ["64 B there and back, spin, POSIX queue", "64 B from 1 to 1"],
    "stream": ["64 B one way, holds 256 KiB, spin", "4 KiB one way, holds 256 KiB, spin"],
    "service": ["64 B call and answer, depth 1,024, spin", "1 KiB call and answer, depth 256, spin"],
}


def measure(folder, program, parts):
    """Row → its time in that of its limit, per message delivered."""
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report.json")
        done = subprocess.run([os.path.join(folder, program), "--quick", "--json", report, *parts], timeout=LIMIT,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if not os.path.exists(report):
            sys.exit(f"guard: {program} measured nothing:\n{done.stdout}{done.stderr}")
        with open(report, encoding="utf-8") as file:
            rows = json.load(file)["rows"]
    return {f"{program}: {row['name']}, {row['options']}": row["ratio"]["median"] / row["deliveries_per_operation"]
            for row in rows if "not_measured" not in row}


def look_at(folder, rows=None):
    """All that is guarded, or these rows."""
    found = {}
    for program, parts in GUARDED.items():
        wanted = parts if rows is None else [row.removeprefix(program + ": ") for row in rows if row.startswith(program + ": ")]
        if wanted:
            found.update(measure(folder, program, wanted))
    return found


def worse_rows(recorded, look):
    """Row → all its ratios, of those whose median is too much worse. `look(rows)` measures these."""
    seen = {row: [] for row in recorded}
    suspects = list(recorded)
    for _ in range(LOOKS):
        for row, ratio in look(suspects).items():
            if row in seen:
                seen[row].append(ratio)
        suspects = [row for row in suspects if seen[row] and statistics.median(seen[row]) > recorded[row] * MOST]
        if not suspects:
            break
    return {row: seen[row] for row in suspects}


def accept(folder, path):
    """The median of several looks at each."""
    looks = [look_at(folder) for _ in range(LOOKS)]
    rows = {row: (statistics.median([look[row] for look in looks if row in look]),) for look in looks for row in look}
    Record(COLUMNS, {}, rows).write(path)
    print(f"recorded {len(rows)} ratios in {path}")
    return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--recorded", default=RECORDED)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    if arguments.accept:
        return accept(arguments.folder, arguments.recorded)
    recorded = {row: ratio for row, (ratio,) in Record.read(arguments.recorded, COLUMNS).rows.items()}
    if not recorded:
        print("no ratios are recorded; on a quiet machine, ./dev bench --guard --ratios --accept records them")
        return 1
    measured = {}

    def look(rows):
        found = look_at(arguments.folder, rows)
        measured.update(found)
        return found

    worse = worse_rows(recorded, look)
    for row in sorted(recorded):
        now = f"{measured[row]:.2f}" if row in measured else "not measured"
        print(f"{row:<70} {recorded[row]:>6.2f} {now:>12}")
    for row, ratios in sorted(worse.items()):
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{row}: worse: {recorded[row]:.2f} → {statistics.median(ratios):.2f} times its limit, in {len(ratios)} looks: {shown}")
    if worse:
        print("If that is meant, record it, and say why in the commit: ./dev bench --guard --ratios --accept")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
