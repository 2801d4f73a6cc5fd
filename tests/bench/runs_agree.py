#!/usr/bin/env python3
"""Whether two runs of `tenon bench --json` on one machine tell the same.

    runs_agree.py A.json B.json

Of the rows whose processors stood alike in both: how many differ by less than 10%, and of how many the intervals meet.
Exit 1 below 90% and 95%, 2 where no row can be compared."""
import json
import sys


def rows_of(path):
    return {row["name"]: row for row in json.load(open(path))["rows"] if "not_measured" not in row}


def main():
    first, second = rows_of(sys.argv[1]), rows_of(sys.argv[2])
    common = [name for name in first if name in second and first[name]["distance"] == second[name]["distance"]]
    if not common:
        print("no row stands in both runs with its processors as far apart")
        sys.exit(2)
    close = meet = 0
    for name in common:
        a, b = first[name], second[name]
        change = b["ns"]["median"] / a["ns"]["median"] - 1
        ratio_change = b["ratio"]["median"] / a["ratio"]["median"] - 1
        is_close = abs(change) < 0.10
        meets = a["ns"]["low"] <= b["ns"]["high"] and b["ns"]["low"] <= a["ns"]["high"]
        close += is_close
        meet += meets
        if not is_close or not meets:
            print(f"{name:60} {100 * change:+6.1f}%, its ratio {100 * ratio_change:+6.1f}%"
                  + ("" if meets else ", intervals apart"))
    print(f"{len(common)} rows: {100 * close / len(common):.1f}% within 10%, {100 * meet / len(common):.1f}% with intervals that meet")
    sys.exit(0 if close >= 0.9 * len(common) and meet >= 0.95 * len(common) else 1)


main()
