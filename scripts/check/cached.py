"""Runs commands on sources side by side, and remembers by content which of them had nothing to say.

A source has the same content as before when the command, the settings, its own bytes and those of every header of the
project that it reaches are the same. Only successes are remembered.
"""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


class Headers:
    """The project's files that a source reaches by its includes."""

    def __init__(self, roots):
        self.roots = roots
        self.seen = {}

    def _resolve(self, source, name):
        for folder in [source.parent, *self.roots]:
            if (folder / name).is_file():
                return (folder / name).resolve()
        return None

    def _direct(self, source):
        if source not in self.seen:
            text = source.read_text(encoding="utf-8", errors="replace")
            found = (self._resolve(source, name) for name in INCLUDE.findall(text))
            self.seen[source] = (hashlib.sha256(text.encode()).hexdigest(), [path for path in found if path])
        return self.seen[source]

    def digest(self, source):
        reached, waiting = {}, [source.resolve()]
        while waiting:
            path = waiting.pop()
            if path in reached:
                continue
            reached[path], includes = self._direct(path)
            waiting += includes
        return "".join(f"{path}{digest}" for path, digest in sorted(reached.items()))


def run(commands, store, headers, cwd):
    """Runs (source, command, settings) triples: what else than command and content decides the outcome is `settings`.

    Returns the (source, output) of those that failed, and how many were remembered.
    """
    store = pathlib.Path(store)
    store.mkdir(parents=True, exist_ok=True)

    def one(source, command, settings):
        key = hashlib.sha256("\0".join([*command, settings, headers.digest(source)]).encode()).hexdigest()
        if (store / key).exists():
            return source, None, True
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            (store / key).touch()
            return source, None, False
        return source, done.stdout + done.stderr, False

    failed, remembered = [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for source, output, known in pool.map(lambda triple: one(*triple), commands):
            remembered += known
            if output is not None:
                failed.append((source, output))
    return failed, remembered


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout
