#!/usr/bin/env python3
"""compare_test.py GUARD SLOWED: a path that was slowed is named, with both figures and how to accept it, and no other is.

GUARD is recorded first, in a file of the test's own, so it does not matter which compiler built the two.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing beside the sources
HERE = os.path.dirname(os.path.abspath(__file__))
from compare import judged  # noqa: E402
from counted import Cost, cost_of  # noqa: E402
from ratios import worse_rows  # noqa: E402
from record import Record  # noqa: E402

SLOWED = "stream: 64 B, write and read"
HEALTHY = "sequenced ring: 64 B, push and pop"


def compare(*arguments):
    return subprocess.run([os.path.join(HERE, "compare.py"), *arguments], capture_output=True, text=True, timeout=600)


class Programs(unittest.TestCase):
    """The two programs, counted."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.recorded = os.path.join(self.folder.name, "recorded.txt")
        accepted = compare("--accept", "--recorded", self.recorded, guard, SLOWED, HEALTHY)
        self.assertEqual(accepted.returncode, 0, accepted.stdout + accepted.stderr)

    def tearDown(self):
        self.folder.cleanup()

    def test_what_was_recorded_passes(self):
        again = compare("--recorded", self.recorded, guard, SLOWED, HEALTHY)
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)

    def test_a_path_that_was_slowed_is_named_with_both_figures_and_how_to_accept_it(self):
        slow = compare("--recorded", self.recorded, slowed, SLOWED, HEALTHY)
        self.assertEqual(slow.returncode, 1, slow.stdout + slow.stderr)
        told = [line for line in slow.stdout.splitlines() if line.startswith(SLOWED + ": worse: instructions ")]
        self.assertEqual(len(told), 1, slow.stdout)
        self.assertRegex(told[0], r"\d+\.\d+ → \d+\.\d+ \(\+\d+\.\d%\)$")
        self.assertIn("./dev bench --guard --accept", slow.stdout)
        self.assertFalse([line for line in slow.stdout.splitlines() if line.startswith(HEALTHY + ":")])

    def test_what_was_accepted_passes_then(self):
        self.assertEqual(compare("--accept", "--recorded", self.recorded, slowed, SLOWED).returncode, 0)
        self.assertEqual(compare("--recorded", self.recorded, slowed, SLOWED, HEALTHY).returncode, 0)

    def test_nothing_is_said_of_another_compiler(self):
        record = Record.read(self.recorded, ("instructions", "calls"))
        record.told["built"] = "another compiler"
        record.write(self.recorded)
        skipped = compare("--recorded", self.recorded, slowed, SLOWED)
        self.assertEqual(skipped.returncode, 77, skipped.stdout + skipped.stderr)
        self.assertIn("skipped: recorded of another compiler", skipped.stdout)


class Judgement(unittest.TestCase):
    """What is said of figures, without counting any."""

    def fails(self, recorded, counted):
        return {name for name, (_, _, fails) in judged(recorded, counted).items() if fails}

    def test_three_per_cent_pass_and_more_fails(self):
        self.assertEqual(self.fails({"a": (100, 0)}, {"a": Cost(103, 0)}), set())
        self.assertEqual(self.fails({"a": (100, 0)}, {"a": Cost(103.1, 0)}), {"a"})

    def test_one_call_of_the_c_library_more_fails(self):
        self.assertEqual(self.fails({"a": (100, 0)}, {"a": Cost(100, 1)}), {"a"})

    def test_what_is_better_passes(self):
        self.assertEqual(self.fails({"a": (100, 2)}, {"a": Cost(50, 1)}), set())

    def test_what_is_not_recorded_and_what_is_gone_fail(self):
        self.assertEqual(self.fails({"gone": (1, 0)}, {"new": Cost(1, 0)}), {"gone", "new"})

    def test_another_way_of_the_kernel_is_not_compared(self):
        self.assertEqual(self.fails({"a [membarrier]": (1, 0)}, {"a [fences]": Cost(9, 0)}), set())


class Ratios(unittest.TestCase):
    """What takes time, and is measured again where it seems worse."""

    def judged(self, recorded, *looks):
        coming = iter(looks)
        return set(worse_rows(recorded, lambda rows: {row: ratio for row, ratio in next(coming).items() if row in rows}))

    def test_a_row_that_is_worse_once_is_looked_at_again(self):
        self.assertEqual(self.judged({"a": 1.0}, {"a": 9.0}, {"a": 1.0}, {"a": 1.1}), set())

    def test_a_row_that_stays_worse_is_named(self):
        self.assertEqual(self.judged({"a": 1.0, "b": 1.0}, *[{"a": 9.0, "b": 1.0}] * 5), {"a"})

    def test_a_little_worse_is_noise(self):
        self.assertEqual(self.judged({"a": 1.0}, {"a": 1.2}), set())

    def test_what_could_not_be_measured_is_not_called_worse(self):
        self.assertEqual(self.judged({"a": 1.0}, {}), set())


class Dumps(unittest.TestCase):
    """What callgrind writes."""

    def test_the_c_librarys_own_instructions_are_left_out_and_calls_of_it_are_counted(self):
        dump = ["ob=/bin/guard", "fn=path", "1 10", "cob=/lib/libc.so.6", "cfn=memcpy", "calls=4 0", "1 400", "1 5",
                "cfn=helper", "calls=2 0", "1 60", "fn=helper", "1 60", "ob=/lib/libc.so.6", "fn=memcpy", "1 400",
                "cfn=memmove", "calls=4 0", "1 100", "fn=memmove", "1 100"]
        self.assertEqual(cost_of(dump), Cost(75, 4))


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        sys.exit(77)
    guard, slowed = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
