#!/usr/bin/env python3
"""Every mechanism's folder holds the same files, and its page the same headings, the example as it is and how to build it;
a page of messaging its example.

--fix writes the examples into the pages anew.
"""
import re
import sys

import tree

HEADINGS = ["When not to use it", "Example", "Outcomes", "Limits and their sysctls", "Crash and fork behaviour",
            "How `tenon ls` shows it", "Man pages"]
# In a page, an HTML comment that says `example: pipe_example.cpp`, and after it the file as a block of code.
EXAMPLE = re.compile(r"(<!-- example: ([\w.]+) -->\n+```cpp\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)
FLOORS = {"src/tenon/ipc": [".hpp", ".cpp", "_test.cpp", "_bench.cpp", "_example.cpp"],
          "src/tenon/ring": [".hpp", "_model_test.cpp", "_test.cpp", "_bench.cpp", "_example.cpp"]}


def further(names, floor):
    """What may stand beside the six: a pair per further public type with its tests, programs, the byte picture.

    A type's tests may be several, each a room of its own: TYPE_test.cpp, TYPE_SUBJECT_test.cpp.
    """
    types = {name[:-4] for name in names if name.endswith(".hpp") and not name.endswith("_layout.hpp")}
    allowed = {name for name in names if name.endswith(("_layout.hpp", "_example.cpp"))}
    for stem in types:
        allowed |= {stem + end for end in (".hpp", ".cpp", "_test.cpp", "_bench.cpp")}
        allowed |= {name for name in names if name.startswith(stem + "_") and name.endswith("_test.cpp")}
    return types, allowed


def check_files(tree_, floor, folder, names):
    stem = folder.split("/")[-1]
    wanted = {stem + end for end in FLOORS[floor]} | {"README.md"}
    for name in sorted(wanted - names):
        tree_.wrong(folder, 0, f"lacks {name}")
    types, allowed = further(names, floor)
    for name in sorted(names - wanted - allowed):
        tree_.wrong(f"{folder}/{name}", 0, "belongs to none of the folder's types")
    if floor == "src/tenon/ipc":
        for type_ in sorted(types - {stem}):
            if type_ + ".cpp" not in names:
                tree_.wrong(f"{folder}/{type_}.hpp", 0, f"is half of a pair: {type_}.cpp is missing")


def check_page(tree_, path):
    text = tree_.text(path)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    title, _, rest = prose.partition("\n")
    if not title.startswith("# "):
        tree_.wrong(path, 1, "begins with \"# \" and the name")
    first = next((line for line in rest.splitlines() if line.strip()), "")
    if not first or first.startswith(("#", "<")):
        tree_.wrong(path, 2, "says under its title what it is, in one line")
    found = re.findall(r"^## +(.+?)\s*$", prose, re.MULTILINE)
    if found != HEADINGS:
        tree_.wrong(path, 0, f"has the headings {found}; it must have {HEADINGS}, in this order")
    for heading, body in re.findall(r"^## +(.+?)\s*\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE):
        if not body.strip():
            tree_.wrong(path, 0, f"says nothing under \"{heading}\"")


def with_examples(tree_, path, text):
    """The page with each example as its file is now, and the names of the files that it includes."""
    names = []

    def fresh(match):
        names.append(match[2])
        file = path.with_name(match[2])
        source = tree_.text(file) if (tree_.root / file).is_file() else None
        if source is None:
            tree_.wrong(path, 0, f"includes {match[2]}, which does not exist")
            return match[0]
        return match[1] + source.rstrip("\n") + "\n" + match[4]

    return EXAMPLE.sub(fresh, text), names


def check_example(tree_, path, fix):
    text = tree_.text(path)
    fresh, names = with_examples(tree_, path, text)
    stem = path.parent.name + "_example"
    if stem + ".cpp" not in names:
        tree_.wrong(path, 0, f"does not include its example: <!-- example: {stem}.cpp --> and a ```cpp block after it")
    by_hand = f"g++ -std=c++23 -Isrc {path.parent}/{stem}.cpp -Lbuild/release -ltenon -o {stem}"
    if not path.is_relative_to("src/tenon/ring") and by_hand not in text:
        tree_.wrong(path, 0, f"does not say how its example is compiled by hand: {by_hand}")
    if fresh != text and fix:
        (tree_.root / path).write_text(fresh, encoding="utf-8")
        print(f"{path}: example refreshed")
    elif fresh != text:
        tree_.wrong(path, 0, "shows its example as it no longer is: ./dev format")


def check(tree_, fix=False):
    folders = 0
    for floor in FLOORS:
        held = {}
        for path in tree_.files(under=[floor]):
            if len(path.parts) > 4:
                held.setdefault("/".join(path.parts[:4]), set()).add("/".join(path.parts[4:]))
            else:
                tree_.wrong(path, 0, "stands outside any mechanism's folder")
        for folder, names in sorted(held.items()):
            folders += 1
            check_files(tree_, floor, folder, names)
    for path in tree_.files("README.md", under=list(FLOORS)):
        check_page(tree_, path)
        check_example(tree_, path, fix)
    for path in tree_.files("README.md", under=["src/tenon/messaging"]):
        check_example(tree_, path, fix)
    return f"{folders} folders"


if __name__ == "__main__":
    arguments = tree.arguments(__doc__.splitlines()[0], fix="write the examples into the pages anew")
    looked_at = tree.Tree(arguments.root)
    sys.exit(looked_at.report(check(looked_at, arguments.fix)))
