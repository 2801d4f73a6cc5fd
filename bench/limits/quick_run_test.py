#!/usr/bin/env python3
"""A quick run has every row that it lists, each with a positive figure. How fast the machine is, is not asked."""
import json
import subprocess
import sys
import tempfile

PATIENCE = 200  # seconds: a watchdog, not a bound


def numbers_in(value):
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_in(part)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def faults_of(row, figures):
    if "not_measured" in row:
        return [] if "cores" in row["not_measured"] else [f"{row['name']}: {row['not_measured']}"]
    return [f"{row['name']}: {figure} is not positive" for figure in figures
            if not numbers_in(row[figure]) or min(numbers_in(row[figure])) <= 0]


def main(program):
    listed = subprocess.run([program, "--quick", "--list"], check=True, text=True, stdout=subprocess.PIPE).stdout
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([program, "--quick", "--json", file.name], check=True, timeout=PATIENCE)
        report = json.load(file)
    rows = report["limits"]
    names = [row["name"] for row in rows + report["pairs"]]
    faults = [f"{name}: no row" for name in listed.splitlines() if name not in names]
    faults += [f"{name}: two rows" for name in set(names) if names.count(name) > 1]
    for row in rows:
        faults += faults_of(row, ["ns_per_operation", "operations_per_second", "blocks_ns", "blocks"])
        if row["kind"] == "round trip" and "not_measured" not in row:
            faults += faults_of(row, ["single_operations_ns"])
    for row in report["pairs"]:
        faults += faults_of(row, ["limit_ns", "subject_ns", "ratio", "pairs"])
    print("\n".join(faults) or f"{len(names)} rows, all there and positive")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
