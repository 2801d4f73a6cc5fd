#!/usr/bin/env python3
"""Each mutant of tests/mutants fits the tree, has tests in its program, and stands in docs/faults.md: in the rows of
the faults that its name begins with, or, if it names none, in the table of what else is taken away.

A mutant whose lines have moved on shows nothing, and the run that would say so takes an hour.
"""
import fnmatch
import pathlib
import re
import sys

import faults
import tree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/mutants"))
from mutant import Mutant, Unfit  # noqa: E402

PAGE = "docs/faults.md"
ROW = re.compile(r"^\|\s*(\w+)\s*\|(?:.*\|)?([^|]*)\|\s*$")
AGAINST_A_FAULT = re.compile(r"\bF\d+_\w+")
AGAINST_NONE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


def matches(pattern, test):
    """Whether a part of a filter may mean a test, which may have parameters or types that only the program knows."""
    suite, name = test.split(".")
    first, last = pattern.split("/")[0].replace("*", "") if "/" in pattern else "All", re.split(r"[*/]", pattern)[-1]
    forms = test, f"{first}/{test}/{last}", f"{suite}/0.{name}", f"{first}/{suite}/0.{name}"
    return any(fnmatch.fnmatchcase(form, pattern) for form in forms)


def programs(tree_):
    """Program of a floor's tests to their names; under None those of all programs that belong to no floor."""
    found = {}
    for path in tree_.files("_test.cpp"):
        floor = f"{path.parts[2]}_test" if path.is_relative_to("src/tenon") else None
        found.setdefault(floor, set()).update(name for name, _, _ in faults.gtests(path, tree_.text(path)))
    return found


def fitting(tree_):
    """Name to mutant, of all that can be read."""
    mutants = {}
    for path in tree_.files(".mutant"):
        try:
            mutants[path.stem] = Mutant(path.stem, tree_.text(path))
            mutants[path.stem].changed(tree_.root)
        except Unfit as unfit:
            tree_.wrong(path, 0, str(unfit))
    return mutants


def rows(tree_):
    """First cell of each row of the page to its line and the mutants that it names."""
    found = {}
    for number, line in tree_.lines(PAGE) if (tree_.root / PAGE).is_file() else []:
        row = ROW.match(line)
        if row:
            alone = {row[1]} if AGAINST_NONE.fullmatch(row[1]) else set()
            found[row[1]] = number, alone or set(AGAINST_A_FAULT.findall(row[2]))
    return found


def check(tree_):
    mutants, listed, tests = fitting(tree_), rows(tree_), programs(tree_)
    for name, mutant in mutants.items():
        for pattern in mutant.tests.split(":"):
            if not any(matches(pattern, test) for test in tests.get(mutant.program, tests.get(None, ()))):
                tree_.wrong(f"tests/mutants/{name}.mutant", 0, f"{mutant.program} has no test \"{pattern}\"")
        for row in [f"F{fault}" for fault in mutant.faults()]:
            if row not in listed or name not in listed[row][1]:
                tree_.wrong(PAGE, listed.get(row, (0,))[0], f"the row {row} does not name the mutant {name}")
        if not mutant.faults() and name not in listed:
            tree_.wrong(PAGE, 0, f"no row says what {name} takes away")
    for number, names in listed.values():
        for name in sorted(names - mutants.keys()):
            tree_.wrong(PAGE, number, f"names the mutant {name}, which tests/mutants does not have")
    return f"{len(mutants)} mutants fit"


if __name__ == "__main__":
    tree.main(check, __doc__)
