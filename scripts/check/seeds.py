#!/usr/bin/env python3
"""The table of docs/seeds.md: every row of the source documents has a verdict, a place and a test, and all of them exist.

A row: | document | kind | it says | verdict | lives in | test |. Tests are GoogleTest's (`Suite.name`), ctest's (`seeds.…`),
or `tour` with the name of an entry of its table in brackets.
"""
import re

import faults
import tree

PAGE = "docs/seeds.md"
TOUR = "cli/tour/table.cpp"
KINDS = {"program", "error", "claim", "advice", "pitfall", "command", "line", "cell"}
DOCUMENTS = re.compile(r"^[ABC]( [ABC])*$")
VERDICT = re.compile(r"^(true|corrected|out of scope)\b")
NOTHING = "—"


def rows(tree_):
    """(line, chapter, cells) of each row but the tables' heads."""
    chapter = ""
    for number, line in tree_.lines(PAGE) if (tree_.root / PAGE).is_file() else []:
        if line.startswith("## "):
            chapter = line[3:]
        elif line.startswith("|") and not re.match(r"^\|[\s:|-]+\|$|^\| document ", line):
            yield number, chapter, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def places(cell):
    """`examples/seeds/fifo_{writer,reader}.cpp` is two."""
    for place in re.findall(r"`([^`]+)`", cell):
        choice = re.search(r"\{([^}]*)\}", place)
        for one in choice[1].split(",") if choice else [""]:
            yield place.replace(choice[0], one) if choice else place


def tests_of(tree_):
    """GoogleTest's, and those of ctest that are programs."""
    tests = set(faults.tagged(tree_)[1])
    for path in tree_.files("CMakeLists.txt"):
        tests.update(name for pair in faults.OTHER.findall(tree_.text(path)) for name in pair if name)
    return tests


def tour_entries(tree_):
    path = tree_.root / TOUR
    return set(re.findall(r"\.name = \"([^\"]+)\"", path.read_text(encoding="utf-8"))) if path.is_file() else set()


def check_test(tree_, number, cell, tests, entries):
    if cell == NOTHING:
        return
    found = re.findall(r"`([^`]+)`(?: \(([\w-]+)\))?", cell)
    if not found:
        tree_.wrong(PAGE, number, f"names no test: \"{cell}\"")
    for test, entry in found:
        if test not in tests:
            tree_.wrong(PAGE, number, f"is said to be tested by \"{test}\", which does not exist")
        elif entry and entry not in entries:
            tree_.wrong(PAGE, number, f"is said to be shown by the tour's \"{entry}\", which does not exist")


def check_row(tree_, number, cells):
    document, kind, says, verdict, place = cells[:5]
    if not DOCUMENTS.match(document):
        tree_.wrong(PAGE, number, f"\"{document}\" is none of the documents")
    if kind not in KINDS:
        tree_.wrong(PAGE, number, f"\"{kind}\" is no kind: {', '.join(sorted(KINDS))}")
    if not says:
        tree_.wrong(PAGE, number, "says nothing")
    if not VERDICT.match(verdict):
        tree_.wrong(PAGE, number, f"has the verdict \"{verdict}\"; it is true, corrected or out of scope")
    named = list(places(place))
    if not named:
        tree_.wrong(PAGE, number, "lives nowhere")
    for one in named:
        if not list(tree_.root.glob(one)):
            tree_.wrong(PAGE, number, f"lives in {one}, which does not exist")


def check(tree_):
    tests = tests_of(tree_)
    entries = tour_entries(tree_)
    seen = {}
    for number, chapter, cells in rows(tree_):
        if len(cells) != 6:
            tree_.wrong(PAGE, number, f"has {len(cells)} cells, not 6")
            continue
        check_row(tree_, number, cells)
        check_test(tree_, number, cells[5], tests, entries)
        first = seen.setdefault((chapter, cells[0], cells[2]), number)
        if first != number:
            tree_.wrong(PAGE, number, f"says what line {first} says")
    return f"{len(seen)} rows"


if __name__ == "__main__":
    tree.main(check, __doc__)
