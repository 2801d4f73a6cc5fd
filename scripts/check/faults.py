#!/usr/bin/env python3
"""The faults that tests name (`// F12`) against the table of docs/faults.md (`| F12 | fault | Suite.test, … |`).

A test bears the tags of the comments directly above it, on its first line and in its body. A row names tests that bear
its fault, so that what shows a fault can be found from the row, and the row from the test.
"""
import re

import tree

TAG = re.compile(r"\bF(\d+)\b")
ROW = re.compile(r"^\|\s*F(\d+)\s*\|([^|]*)\|(.*)\|\s*$")
TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
# Tests that are not GoogleTest's: a case of the kill harness, a program of ctest.
OTHER = re.compile(r"add_test\(\s*NAME\s+([\w.-]+)|^\s*(?:\.name\s*=\s*|\{)\"([\w./ -]+)\"", re.MULTILINE)


def is_test(path):
    return path.name.endswith("_test.cpp") or path.is_relative_to("tests")


def faults_in(line):
    comment = re.search(r"(?://|^\s*#)(.*)$", line)
    return {int(fault) for fault in TAG.findall(comment[1])} if comment else set()


def last_line(lines, first):
    """Where the test that begins at line `first` ends: on that line, or at the brace that stands at its margin."""
    if lines[first].split("//")[0].rstrip().endswith("}"):
        return first
    return next((i for i in range(first, len(lines)) if lines[i].startswith("}")), len(lines) - 1)


def gtests(path, text):
    """Of each GoogleTest: its name, where it stands, the faults that its comments name."""
    lines = text.split("\n")
    for test in TEST.finditer(text):
        first = text.count("\n", 0, test.start())
        above = first
        while above > 0 and lines[above - 1].lstrip().startswith("//"):
            above -= 1
        faults = set().union(*map(faults_in, lines[above:last_line(lines, first) + 1]))
        yield f"{test[1]}.{test[2]}", f"{path}:{first + 1}", faults


def tagged(tree_):
    """Fault → where comments of tests name it; name of a test → where it stands and its faults (None: no GoogleTest)."""
    tags, tests = {}, {}
    for path in tree_.files(".cpp", ".hpp", ".py", ".txt"):
        if not is_test(path) or path.is_relative_to("tests/checks"):
            continue
        text = tree_.text(path)
        for name, where, faults in gtests(path, text):
            tests[name] = (where, faults | tests.get(name, ("", set()))[1])
        for name in (name for pair in OTHER.findall(text) for name in pair if name):
            tests.setdefault(name, (str(path), None))
        for number, line in tree_.lines(path):
            for fault in faults_in(line):
                tags.setdefault(fault, (path, number))
    return tags, tests


def listed(tree_, tests):
    """Fault → its line in docs/faults.md; each row must name tests that exist and bear its fault."""
    page, rows = "docs/faults.md", {}
    for number, line in tree_.lines(page) if (tree_.root / page).is_file() else []:
        row = ROW.match(line)
        if not row:
            continue
        if int(row[1]) in rows:
            tree_.wrong(page, number, f"F{row[1]} has a second row")
        rows[int(row[1])] = number
        for test in re.findall(r"`([^`]+)`", row[3]) or re.split(r"\s*(?:,|<br>)\s*", row[3].strip()):
            where, faults = tests.get(test, ("", None))
            if not where:
                tree_.wrong(page, number, f"F{row[1]} is said to be tested by \"{test}\", which does not exist")
            elif faults is not None and int(row[1]) not in faults:
                tree_.wrong(page, number, f"F{row[1]} is said to be tested by \"{test}\", whose comments do not name it: "
                            f"write \"// F{row[1]}\" directly above it ({where}) if it shows F{row[1]}, "
                            "else take it out of the row")
    return rows


def check(tree_):
    tags, tests = tagged(tree_)
    rows = listed(tree_, tests)
    for fault in sorted(tags.keys() - rows.keys()):
        tree_.wrong(*tags[fault], f"names F{fault}, which docs/faults.md does not list")
    for fault in sorted(rows.keys() - tags.keys()):
        tree_.wrong("docs/faults.md", rows[fault], f"lists F{fault}, which no test names in a comment")
    return f"{len(rows)} faults listed, {len(tags)} named by tests, {len(tests)} tests"


if __name__ == "__main__":
    tree.main(check, __doc__)
