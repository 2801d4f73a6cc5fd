"""What a file NAME.mutant says, and whether it still fits the tree. `run` tells what such a file looks like."""
import re

PART = re.compile(r"^file: ([^\n]*)$|^--- instead of\n(.*?)^--- this\n(.*?)^--- end$", re.MULTILINE | re.DOTALL)


class Unfit(Exception):
    """The mutant cannot show anything, and why."""


class Mutant:
    def __init__(self, name, text):
        self.name, self.edits, file = name, [], None
        for match in PART.finditer(text):
            if match[1]:
                file = match[1].strip()
            else:
                self.edits.append((file, match[2], match[3]))
        fields = dict(re.findall(r"^(program|tests): *(\S+)", text, re.MULTILINE))
        if set(fields) != {"program", "tests"} or not self.edits or None in (edit[0] for edit in self.edits):
            raise Unfit("it needs program, tests, file and a block of whole lines")
        self.program, self.tests = fields["program"], fields["tests"]

    def faults(self):
        """The numbers that its name begins with: F54_F71_what_it_does is against faults 54 and 71."""
        return [int(number) for number in re.findall(r"F(\d+)_", re.match(r"(?:F\d+_)*", self.name)[0])]

    def changed(self, tree):
        """File to its text with the guard taken out."""
        texts = {}
        for file, old, new in self.edits:
            if not (tree / file).is_file():
                raise Unfit(f"there is no {file}")
            text = texts.get(file) or (tree / file).read_text()
            if text.count(old) != 1:
                raise Unfit(f"what it replaces stands in {file} {text.count(old)} times")
            texts[file] = text.replace(old, new)
        return texts
