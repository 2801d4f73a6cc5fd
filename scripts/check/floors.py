#!/usr/bin/env python3
"""The includes of src/tenon, and the floors of CMakeLists.txt, against the floor table of ARCHITECTURE.md."""
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ROW = re.compile(r"^\|\s*`(\w+)`\s*\|(.*)\|(.*)\|\s*$")
KERNEL_AND_LIBC = {"sys", "linux", "asm", "arpa", "net", "netinet"}
# What a test or a benchmark may include beside its floor: the kit, the harness, and what these stand on.
AROUND = {"_test.cpp": {"kit", "gtest", "gmock"}, "_bench.cpp": {"harness", "limits", "bench", "benchmark"}}


class Rule:
    """What one row of the table allows."""

    def __init__(self, cell, above):
        allowed, _, restriction = cell.partition(";")
        words = re.findall(r"\w+", re.sub(r"\(.*?\)", "", allowed))
        self.floors = set(above) if "all above" in allowed else set(words) & set(above)
        self.no_sibling = "never a sibling" in restriction
        # "the others' `*_layout.hpp`": the byte pictures of every floor.
        self.layouts = "_layout.hpp" in allowed


def table_of(tree_):
    rules = {}
    for _, line in tree_.lines("ARCHITECTURE.md"):
        row = ROW.match(line)
        if row:
            rules[row[1]] = Rule(row[3], list(rules))
    return rules


def sibling(path, included):
    """True for two different folders under ipc."""
    return len(included) > 4 and included[:3] == ("src", "tenon", "ipc") and path.parts[3] != included[3]


def refusal(path, included, rules):
    """Why `path` may not include src/tenon/… `included`, or None."""
    floor, target = path.parts[2], included[2]
    rule = rules[floor]
    if path.name.endswith("_layout.hpp"):
        if target != "base" and not included[-1].endswith("_layout.hpp"):
            return "a layout may use `base` alone"
        return None
    if target == floor:
        return "mechanisms may not include each other" if rule.no_sibling and sibling(path, included) else None
    if target in rule.floors or (rule.layouts and included[-1].endswith("_layout.hpp")):
        return None
    return f"`{floor}` may not use `{target}`" if target in rules else f"there is no floor `{target}`"


def check_include(tree_, rules, path, number, quote, name):
    around = next((parts for end, parts in AROUND.items() if path.name.endswith(end)), set())
    top = name.split("/")[0]
    if quote == '"':
        tree_.wrong(path, number, f"includes are written from the root: <tenon/…>, not \"{name}\"")
    elif top == "tenon" and name.count("/") >= 2:
        why = refusal(path, ("src", *name.split("/")), rules)
        if why:
            tree_.wrong(path, number, f"includes <{name}>: {why}")
        if not (tree_.root / "src" / name).is_file():
            tree_.wrong(path, number, f"includes <{name}>, which does not exist")
    elif "/" in name and top not in KERNEL_AND_LIBC | around:
        tree_.wrong(path, number, f"includes <{name}>: the library uses the standard library and the kernel's headers")


def check_cmake(tree_, rules):
    """tenon_floor(NAME USES …) must say what the table says."""
    for number, line in tree_.lines("CMakeLists.txt"):
        call = re.match(r"tenon_floor\((\w+)(?: USES ([\w ]+))?\)", line)
        if call and set((call[2] or "").split()) != getattr(rules.get(call[1]), "floors", None):
            tree_.wrong("CMakeLists.txt", number, f"`{call[1]}` is linked otherwise than the table says")


def check(tree_):
    rules = table_of(tree_)
    if "base" not in rules:
        tree_.wrong("ARCHITECTURE.md", 0, "has no floor table: | `base` | what lives there | may use |")
        return "no table"
    check_cmake(tree_, rules)
    files = includes = 0
    for path in tree_.files(".hpp", ".cpp", under=["src/tenon"]):
        if len(path.parts) < 4:
            continue
        if path.parts[2] not in rules:
            tree_.wrong(path, 0, f"stands on a floor that the table does not have: `{path.parts[2]}`")
            continue
        files += 1
        for number, line in tree_.lines(path):
            found = INCLUDE.match(line)
            if found:
                includes += 1
                check_include(tree_, rules, path, number, found[1], found[2])
    return f"{len(rules)} floors, {files} files, {includes} includes"


if __name__ == "__main__":
    tree.main(check, __doc__)
