#!/usr/bin/env python3
"""The project speaks of itself alone, and is finished: no paths of one machine, no hosts, no promises to finish."""
import re

import tree

# Written so that this file does not find itself.
RULES = [
    (re.compile(r"(?<![\w.$}])/(?:work|home|root|Users)/\w"), "a path of one machine"),
    (re.compile(r"(?<![\w.$}])/tmp/(?:build|prompts)\b"), "a path of one machine"),
    (re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b"), "a promise to finish: finish it, or leave it out"),
    (re.compile(r"\b(?:s[t]ubs?|s[t]ubbed|not (?:yet )?im[p]lemented)\b", re.IGNORECASE), "something unfinished"),
    (re.compile(r"\bissues? [#]?\d+\b|\bpull request \d+", re.IGNORECASE), "a number that means nothing to a reader"),
]
URL = re.compile(r"https?://([\w.-]+)")
HOSTS = {"www.apache.org", "man7.org", "www.kernel.org", "docs.kernel.org", "spinroot.com", "keepachangelog.com",
         "semver.org", "www.w3.org"}
BINARY = (".png", ".gz", ".zst", ".bin")


def check(tree_):
    files = lines = 0
    for path in tree_.files():
        if path.name == "LICENSE" or path.name.endswith(BINARY) or path.is_relative_to("tests/checks"):
            continue
        files += 1
        for number, line in tree_.lines(path):
            lines += 1
            for pattern, why in RULES:
                found = pattern.search(line)
                if found:
                    tree_.wrong(path, number, f"\"{found[0]}\": {why}")
            for host in URL.findall(line):
                if host not in HOSTS:
                    tree_.wrong(path, number, f"\"{host}\": a host that the project does not stand on")
    return f"{files} files, {lines} lines"


if __name__ == "__main__":
    tree.main(check, __doc__)
