#!/usr/bin/env python3
"""check_test.py CHECK: shows that a check of ./dev check passes a sound tree, and fails each tree with a fault in it."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import seeded

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {"format": ["clang-format-19"], "headers": ["g++", "clang++-19"], "tidy": ["clang-tidy-19", "clang++-19"]}


def write(root, files):
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def settle(root):
    """What the checks read besides sources: the style, and how each source is compiled."""
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(PROJECT / name, root)
    sources = [path for path in root.rglob("*.cpp") if not path.name.endswith(("_test.cpp", "_bench.cpp"))]
    entries = [{"directory": str(root), "file": str(path),
                "command": f"clang++-19 -std=c++23 -I{root}/src -c {path}"} for path in sources]
    write(root, {"build/clang/compile_commands.json": json.dumps(entries)})


def run(check, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write(root, seeded.SOUND)
        write(root, files)
        settle(root)
        done = subprocess.run([sys.executable, str(PROJECT / f"scripts/check/{check}.py"), "--root", folder],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr


def main(check):
    for tool in TOOLS.get(check, []):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed; ./dev check installs it")
            return 77
    failures = 0
    rows = [row for row in seeded.ROWS if row[0] == check]
    for name, files, wanted in [("a sound tree", {}, None), *(row[1:] for row in rows)]:
        code, output = run(check, files)
        right = code == 0 if wanted is None else code == 1 and wanted in output
        print(f"{'ok    ' if right else 'FAILED'} {check}: {name}")
        if not right:
            failures += 1
            print(f"  wanted {'exit code 0' if wanted is None else repr(wanted)}; exit code {code}:\n{output}")
    if not rows:
        print(f"no fault is seeded for {check}")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
