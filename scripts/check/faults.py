#!/usr/bin/env python3
"""The faults that tests name (`// F12`) against the table of docs/faults.md (`| F12 | fault | Suite.test, … |`)."""
import re

import tree

TAG = re.compile(r"\bF(\d+)\b")
ROW = re.compile(r"^\|\s*F(\d+)\s*\|([^|]*)\|(.*)\|\s*$")
TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
# Tests that are not GoogleTest's: a case of the kill harness, a program of ctest.
OTHER = re.compile(r"add_test\(\s*NAME\s+([\w.-]+)|^\s*(?:\.name\s*=\s*|\{)\"([\w./ -]+)\"", re.MULTILINE)


def is_test(path):
    return path.name.endswith("_test.cpp") or path.is_relative_to("tests")


def tagged(tree_):
    """Fault → where comments of tests name it; and the names of all tests."""
    tags, names = {}, set()
    for path in tree_.files(".cpp", ".hpp", ".py", ".txt"):
        if not is_test(path) or path.is_relative_to("tests/checks"):
            continue
        text = tree_.text(path)
        names |= {f"{suite}.{name}" for suite, name in TEST.findall(text)}
        names |= {name for pair in OTHER.findall(text) for name in pair if name}
        for number, line in tree_.lines(path):
            comment = re.search(r"(?://|^\s*#)(.*)$", line)
            for fault in TAG.findall(comment[1]) if comment else []:
                tags.setdefault(int(fault), (path, number))
    return tags, names


def listed(tree_, names):
    """Fault → its line in docs/faults.md; each row must name tests that exist."""
    page, rows = "docs/faults.md", {}
    for number, line in tree_.lines(page) if (tree_.root / page).is_file() else []:
        row = ROW.match(line)
        if not row:
            continue
        if int(row[1]) in rows:
            tree_.wrong(page, number, f"F{row[1]} has a second row")
        rows[int(row[1])] = number
        tests = re.findall(r"`([^`]+)`", row[3]) or re.split(r"\s*(?:,|<br>)\s*", row[3].strip())
        for test in tests:
            if test not in names:
                tree_.wrong(page, number, f"F{row[1]} is said to be tested by \"{test}\", which does not exist")
    return rows


def check(tree_):
    tags, names = tagged(tree_)
    rows = listed(tree_, names)
    for fault in sorted(tags.keys() - rows.keys()):
        tree_.wrong(*tags[fault], f"names F{fault}, which docs/faults.md does not list")
    for fault in sorted(rows.keys() - tags.keys()):
        tree_.wrong("docs/faults.md", rows[fault], f"lists F{fault}, which no test names in a comment")
    return f"{len(rows)} faults listed, {len(tags)} named by tests, {len(names)} tests"


if __name__ == "__main__":
    tree.main(check, __doc__)
