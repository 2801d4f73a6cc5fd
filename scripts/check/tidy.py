#!/usr/bin/env python3
"""clang-tidy 19 over the library, the command line, the test kit and the benchmarks, as .clang-tidy says.

Reads build/clang/compile_commands.json, which `cmake --preset clang` writes. A source whose content and headers have
not changed since it last passed is not looked at again.
"""
import json
import pathlib
import re
import subprocess

import cached
import tree

UNDER = ["src", "cli", "bench", "tests/kit", "tests/kill", "examples"]
FINDING = re.compile(r"^(/[^:\n]+):(\d+):\d+: (?:warning|error): (.*)$", re.MULTILINE)


def wanted(root, file):
    path = file.relative_to(root) if file.is_relative_to(root) else None
    if path is None or not any(path.is_relative_to(folder) for folder in UNDER):
        return False
    return not path.name.endswith("_test.cpp")


def commands_of(tree_, database):
    """One command for each source; a source that two targets compile is looked at once."""
    settings = tree_.text(".clang-tidy") + cached.version_of("clang-tidy-19")
    compiled = {}
    for entry in json.loads(database.read_text()):
        file = pathlib.Path(entry["file"])
        if wanted(tree_.root, file) and file.is_file():
            compiled.setdefault(file, entry["command"])
    return [(file, ["clang-tidy-19", "--quiet", f"-p={database.parent}", str(file)], settings + how)
            for file, how in sorted(compiled.items())]


def configured(tree_):
    """The database of how each source is compiled, or None if there is none to be had."""
    database = tree_.root / "build/clang/compile_commands.json"
    if (tree_.root / "CMakePresets.json").is_file():
        made = subprocess.run(["cmake", "--preset", "clang"], cwd=tree_.root, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        if made.returncode != 0:
            tree_.wrong("CMakePresets.json", 0, "cmake --preset clang fails:\n" + made.stderr.strip())
            return None
    if not database.is_file():
        tree_.wrong("build/clang/compile_commands.json", 0, "is missing")
        return None
    return database


def check(tree_):
    database = configured(tree_)
    if database is None:
        return "no sources"
    commands = commands_of(tree_, database)
    headers = cached.Headers([tree_.root / "src", tree_.root / "tests", tree_.root / "bench", tree_.root])
    failed, remembered = cached.run(commands, tree_.root / "build/check/tidy", headers, tree_.root)
    seen = set()
    for source, output in failed:
        found = FINDING.findall(output)
        for file, line, what in found:
            path = pathlib.Path(file)
            where = path.relative_to(tree_.root) if path.is_relative_to(tree_.root) else path
            if (where, line, what) not in seen:
                seen.add((where, line, what))
                tree_.wrong(where, int(line), what)
        if not found:
            tree_.wrong(source.relative_to(tree_.root), 0, output.strip())
    return f"{len(commands)} sources, {remembered} unchanged since they last passed"


if __name__ == "__main__":
    tree.main(check, __doc__)
