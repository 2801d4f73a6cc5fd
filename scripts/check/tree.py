"""What every check needs: the files of the tree, and a way to say what is wrong with them.

A check is a program `NAME.py [--root DIR]` that prints a line "path:line: what is wrong" for each finding and ends
with exit code 1, or prints one line that says what it has looked at, and ends with 0.
"""
import argparse
import os
import pathlib
import subprocess
import sys

# Never part of the project's sources, in a tree that is not a git checkout.
OUTSIDE = {".git", "build", "__pycache__"}


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.findings = []

    def files(self, *suffixes, under=()):
        """The project's files as paths relative to the root, sorted; only those under the given folders, if any."""
        if not hasattr(self, "_all"):
            self._all = sorted(set(self._tracked() or self._walked()))
        for path in self._all:
            if suffixes and not path.name.endswith(suffixes):
                continue
            if under and not any(path.is_relative_to(folder) for folder in under):
                continue
            yield path

    def _tracked(self):
        # New files count before they are added, ignored ones never.
        command = ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        if not (self.root / ".git").exists():
            return []
        try:
            out = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        except (OSError, subprocess.CalledProcessError):
            return []
        names = (pathlib.PurePosixPath(name) for name in out.split("\0") if name)
        return [name for name in names if (self.root / name).is_file()]

    def _walked(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in OUTSIDE and not name.startswith("build-")]
            for name in names:
                yield pathlib.PurePosixPath((pathlib.Path(folder) / name).relative_to(self.root).as_posix())

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path):
        return enumerate(self.text(path).splitlines(), start=1)

    def wrong(self, path, line, what):
        self.findings.append((str(path), line, what))

    def report(self, looked_at):
        """Prints the findings, or what was looked at if there are none. Returns the exit code."""
        for path, line, what in sorted(self.findings):
            print(f"{path}:{line}: {what}" if line else f"{path}: {what}")
        if self.findings:
            print(f"{len(self.findings)} findings; looked at {looked_at}")
            return 1
        print(looked_at)
        return 0


def arguments(description, **flags):
    """The parsed command line: root, and a boolean for each of the flags (name=help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], help="the tree to look at")
    for name, text in flags.items():
        parser.add_argument("--" + name, action="store_true", help=text)
    return parser.parse_args()


def main(check, description):
    """Runs a check that takes a Tree and returns a sentence that says what it has looked at."""
    tree = Tree(arguments(description).root)
    sys.exit(tree.report(check(tree)))
