#!/usr/bin/env python3
"""Shows that scripts/skipped.py tells the reason of each skipped test, and fails where there is none."""
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/skipped.py"
CASE = '<testcase name="{name}" status="{status}">{skipped}<system-out>{output}</system-out></testcase>'
GTEST = "[ RUN      ] Life.namespaces\nlife_test.cpp:9: Skipped\nno user namespaces here\n\n[  SKIPPED ] Life.namespaces (0 ms)\n"
SILENT = "[ RUN      ] Life.namespaces\nlife_test.cpp:9: Skipped\n\n[  SKIPPED ] Life.namespaces (0 ms)\n"
ROWS = [
    ("nothing skipped", "run", "", "all is well", 0, ""),
    ("a reason by GTEST_SKIP", "notrun", "<skipped/>", GTEST, 0, "skipped a.test: no user namespaces here"),
    ("a reason by a script", "notrun", "<skipped/>", "skipped: spin is not installed\n", 0, "spin is not installed"),
    ("GTEST_SKIP without a reason", "notrun", "<skipped/>", SILENT, 1, "NO REASON GIVEN"),
    ("the number of those skipped", "notrun", "<skipped/>", GTEST, 0, "\nskipped in all: 1\n"),
    ("no output at all", "notrun", "<skipped/>", "", 1, "NO REASON GIVEN"),
    ("a disabled test", "disabled", "<skipped/>", "skipped: it is off\n", 1, "NO REASON GIVEN"),
]

failures = 0
for what, status, skipped, output, wanted_code, wanted in ROWS:
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as report:
        case = CASE.format(name="a.test", status=status, skipped=skipped, output=output)
        report.write(f"<testsuite>{case}</testsuite>")
        report.flush()
        done = subprocess.run([sys.executable, SCRIPT, report.name], capture_output=True, text=True)
    right = done.returncode == wanted_code and (wanted in done.stdout if wanted else not done.stdout)
    right = right and ("skipped in all" in done.stdout) == (status == "notrun")  # ctest does not count disabled ones
    print(f"{'ok    ' if right else 'FAILED'} {what}")
    if not right:
        failures += 1
        print(f"  exit code {done.returncode}, printed {done.stdout!r} {done.stderr!r}")
sys.exit(1 if failures else 0)
