#!/usr/bin/env python3
"""Each header compiles alone, with g++ and with clang++ 19; with TENON_CHECK_COMPILER alone, if that is set, and only
those of TENON_CHECK_HEADERS, a folder."""
import os
import re

import cached
import tree

ONE = os.environ.get("TENON_CHECK_COMPILER")
FOLDER = os.environ.get("TENON_CHECK_HEADERS", ".")
COMPILERS = [ONE] if ONE else ["g++", "clang++-19"]
# Roots of includes beside src: <kit/…>, <harness/…>.
ROOTS = ["src", "tests", "bench", "."]


def command_of(compiler, header, roots):
    flags = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    # As the body of a file of its own, since a header given as the main file may not say #pragma once.
    return [compiler, *flags, *(f"-I{root}" for root in roots), "-include", str(header), "-x", "c++", "/dev/null"]


def check(tree_):
    roots = [tree_.root / root for root in ROOTS]
    reached = cached.Headers(roots)
    headers = [path for path in tree_.files(".hpp")
               if path.is_relative_to(FOLDER) and not path.is_relative_to("tests/install")]
    remembered = 0
    for compiler in COMPILERS:
        version = cached.version_of(compiler)
        commands = [(tree_.root / path, command_of(compiler, tree_.root / path, roots), version) for path in headers]
        failed, known = cached.run(commands, tree_.root / "build/check/headers", reached, tree_.root)
        remembered += known
        for source, output in failed:
            first = re.search(r"^([^:\n]+):(\d+):.*?error: (.*)$", output, re.MULTILINE)
            what = f"{first[3]} ({first[1]}:{first[2]})" if first else output.strip()
            tree_.wrong(source.relative_to(tree_.root), 0, f"does not compile alone with {compiler}: {what}")
    return f"{len(headers)} headers, {' and '.join(COMPILERS)}, {remembered} unchanged since they last passed"


if __name__ == "__main__":
    tree.main(check, __doc__)
