#!/usr/bin/env python3
"""Names that say nothing, in files and in types: a thing is named after what it is."""
import re

import tree

EMPTY_WORDS = {"manager", "util", "utils", "utility", "utilities", "misc", "helper", "helpers", "impl"}
TYPE = re.compile(r"\b(?:class|struct|union|enum(?:\s+class)?|concept|namespace)\s+(?:\[\[\w+\]\]\s*)?(\w+)")
ALIAS = re.compile(r"\busing\s+(\w+)\s*=")


def words_of(name):
    """posix_queue, PosixQueue and POSIXQueue are the same two words."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", name))
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]


def empty_word_in(name):
    return next((word for word in words_of(name) if word in EMPTY_WORDS), None)


def check(tree_):
    files = types = 0
    for path in tree_.files():
        files += 1
        for part in path.parts:
            word = empty_word_in(part)
            if word:
                tree_.wrong(path, 0, f"\"{word}\" names nothing: call it after what it is")
    for path in tree_.files(".hpp", ".cpp"):
        for number, line in tree_.lines(path):
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
            for name in TYPE.findall(code) + ALIAS.findall(code):
                types += 1
                word = empty_word_in(name)
                if word:
                    tree_.wrong(path, number, f"{name}: \"{word}\" names nothing")
    return f"{files} files, {types} types"


if __name__ == "__main__":
    tree.main(check, __doc__)
