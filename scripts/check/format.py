#!/usr/bin/env python3
"""Every source is as clang-format 19 writes it. `./dev format` makes it so."""
import subprocess

import tree


def check(tree_):
    files = [str(path) for path in tree_.files(".hpp", ".cpp")]
    if not files:
        return "0 files"
    done = subprocess.run(["clang-format-19", "--dry-run", "--Werror", "--fno-color-diagnostics", *files],
                          cwd=tree_.root, capture_output=True, text=True)
    lines = {}
    for line in done.stderr.splitlines():
        parts = line.split(":", 4)
        if len(parts) == 5 and "error" in parts[3]:
            lines.setdefault(parts[0], []).append(int(parts[1]))
    for path, at in lines.items():
        tree_.wrong(path, at[0], f"{len(set(at))} lines are not as clang-format writes them")
    if done.returncode != 0 and not tree_.findings:
        tree_.wrong("clang-format-19", 0, done.stderr.strip() or f"ended with {done.returncode}")
    return f"{len(files)} files"


if __name__ == "__main__":
    tree.main(check, __doc__)
