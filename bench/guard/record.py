"""What was recorded of figures: a file of lines `key: value`, and of a line for each row. Written and read here alone."""
import os

HEAD = "# Written by ./dev bench --guard --accept; docs/benchmarks.md says what it is for.\n"


def way_of(name):
    """A row's name, and in brackets the way that the kernel made it take."""
    plain, _, way = name.partition(" [")
    return plain, way.rstrip("]")


class Record:
    """`told` says of what the figures are; `rows` are name → numbers, as many as there are columns."""

    def __init__(self, columns, told=None, rows=None):
        self.columns, self.told, self.rows = columns, dict(told or {}), dict(rows or {})

    @classmethod
    def read(cls, path, columns):
        record = cls(columns)
        if not os.path.exists(path):
            return record
        with open(path, encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
        for line in lines:
            if line.startswith(" "):
                *numbers, name = line.split(None, len(columns))
                if len(numbers) == len(columns) and numbers[0] != columns[0]:
                    record.rows[name] = tuple(map(float, numbers))
            else:
                key, _, value = line.partition(": ")
                record.told[key] = value
        return record

    def write(self, path):
        form = "".join(f"  {{:>{max(10, len(column))}}}" for column in self.columns) + "  {}\n"
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD)
            file.writelines(f"{key}: {value}\n" for key, value in self.told.items())
            file.write("\n" + form.format(*self.columns, "what"))
            for name in sorted(self.rows):
                file.write(form.format(*(f"{number:.2f}" for number in self.rows[name]), name))
