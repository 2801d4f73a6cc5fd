#!/usr/bin/env python3
"""Every access to an atomic says its memory order, and its line says why.

An access ends in the edge that it is one end of (`// S1`, declared in a comment of the file or of its header as
"S1 store-release … → load-acquire …"), and a relaxed one in its reason (`// own index: only the producer writes it`).
A reason that does not fit stands on the line above: `// relaxed: an old value costs one more call`. A test may leave
the order out, which is the strongest and needs no argument. An order that is a parameter says whose it is.
"""
import re

import tree

ORDER = re.compile(r"\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b|\b__ATOMIC_([A-Z_]+)\b")
ACCESS = re.compile(
    r"(?:\.|->)(?:load|store|exchange|compare_exchange_weak|compare_exchange_strong|test_and_set"
    r"|fetch_(?:add|sub|and|or|xor))\s*\(|\batomic_(?:thread|signal)_fence\s*\(")
EDGE = re.compile(r"\b([A-Z]\d+)\b")


def split(line):
    """The code of a line and its trailing comment. Strings are blanked, so that "//" in them is none."""
    blanked = re.sub(r'"(\\.|[^"\\])*"', lambda match: '"' + " " * (len(match[0]) - 2) + '"', line)
    at = blanked.find("//")
    return (blanked, "") if at < 0 else (blanked[:at], line[at:].lstrip("/!< ").strip())


def statements(lines):
    """(number of the first line, code, comments at the ends of its lines) of each statement, however it is broken."""
    start, code, comments, above = None, "", [], ""
    for number, line in lines:
        part, comment = split(line)
        if not part.strip():
            # Further lines of a comment belong to its first.
            above = above + " " + comment if above and comment else comment
            continue
        if start is None:
            start = number
            comments += [above] if above.startswith("relaxed: ") else []
        above = ""
        code += part + " "
        comments += [comment] if comment else []
        if re.search(r"[;{}:]\s*$", part):
            yield start, code, comments
            start, code, comments = None, "", []
    if code.strip():
        yield start, code, comments


def declared_edges(tree_, path):
    """Edges are declared on lines that are nothing but comment, in the file itself or in the header beside it."""
    texts = [tree_.text(path)]
    for name in {re.sub(r"(_(model_)?test|_bench|_example)?\.cpp$", ".hpp", path.name), path.parent.name + ".hpp"}:
        beside = path.with_name(name)
        if beside != path and (tree_.root / beside).is_file():
            texts.append(tree_.text(beside))
    comments = (line for text in texts for line in text.splitlines() if re.match(r"\s*(//|\*)", line))
    return {edge for line in comments for edge in EDGE.findall(line)}


def fault_in(code, comments, edges):
    """What is wrong with a statement that accesses an atomic, or None."""
    orders = {(new or old).lower() for new, old in ORDER.findall(code)}
    if not orders and re.search(r"\border\b", code):
        return None if comments else "an order that is a parameter says whose it is"
    if not orders:
        return "an access without a memory order: say which, it may be memory_order_seq_cst"
    comment = " ".join(comments)
    if not comment:
        return "a memory order without its edge (// S1) or its reason"
    named = set(EDGE.findall(comment))
    if orders == {"relaxed"} and not named:
        return None if len(comment.split()) >= 2 else f"\"{comment}\" is no reason for a relaxed order"
    if not named:
        return "an order beyond relaxed names its edge: // S1"
    missing = sorted(named - edges)
    return f"edge {missing[0]} is declared nowhere in the head of the file" if missing else None


def check(tree_):
    accesses = commented = 0
    for path in tree_.files(".hpp", ".cpp", under=["src", "bench"]):
        text = tree_.text(path)
        if not (ORDER.search(text) or "atomic" in text):
            continue
        edges = declared_edges(tree_, path)
        for number, code, comments in statements(tree_.lines(path)):
            ordered = ORDER.search(code)
            if not (ordered or (ACCESS.search(code) and not path.name.endswith("_test.cpp"))):
                continue
            accesses += 1
            fault = fault_in(code, comments, edges)
            if fault:
                tree_.wrong(path, number, fault)
            else:
                commented += 1
    percentage = 100.0 * commented / accesses if accesses else 100.0
    return f"{accesses} memory orders, {commented} commented: {percentage:.1f}%"


if __name__ == "__main__":
    tree.main(check, __doc__)
