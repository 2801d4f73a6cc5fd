"""skipped.py REPORT.xml: names each test that ctest skipped, with the reason it printed, and then how many they are:
of those that ctest counts, which disabled ones are not.

Exit code 1 if one was skipped without saying why: such a test has only the look of a test.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

# GoogleTest: "file.cpp:12: Skipped", the reason, "[  SKIPPED ]". Scripts: "skipped: REASON".
GTEST = re.compile(r"^.*:\d+: Skipped\n(.*?)^\[  SKIPPED \]", re.MULTILINE | re.DOTALL)
SCRIPT = re.compile(r"^skipped: *(.*)$", re.MULTILINE)


def reasons_in(output):
    found = GTEST.findall(output) + SCRIPT.findall(output)
    return [" ".join(reason.split()) for reason in found if reason.strip()]


def main(report):
    silent = 0
    counted = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("skipped") is None:
            continue
        if case.get("status") == "disabled":
            reasons = []
        else:
            reasons = reasons_in(case.findtext("system-out") or "")
            counted += 1
        print(f"skipped {case.get('name')}: {'; '.join(reasons) or 'NO REASON GIVEN'}")
        silent += not reasons
    if counted:
        print(f"skipped in all: {counted}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
