# SPDX-License-Identifier: MIT
"""outcome - the last lines of scripts/test: what was skipped and why, and how many tests passed, failed and were skipped.

usage: outcome.py LOG...

LOG is meson's testlog.json, an object a line. A test that skips a part of itself has passed, and the part is skipped. Exits
with 1 where a test failed or none passed.
"""
import collections
import json
import re
import sys

REASON = re.compile(r"""(?:^skipped: |\bskipped ['"])(.*?)['"]?$""", re.MULTILINE)


def tests(paths):
    for path in paths:
        with open(path, encoding="utf-8") as log:
            yield from map(json.loads, log)


def name(test):
    """suite / name: mesons differ in how they write it."""
    older = re.fullmatch(r".*:(.*) / (.*)", test["name"])
    newer = re.fullmatch(r"(.*) - .*:(.*)", test["name"])
    return " / ".join((older or newer).groups()) if older or newer else test["name"]


def reasons(test):
    """Why a test or parts of it were skipped, each once, with how many."""
    found = REASON.findall(test.get("stdout", "") + "\n" + test.get("stderr", ""))
    if test["result"] == "SKIP" and not found:
        found = ["no reason given"]
    return collections.Counter(found)


def main(paths):
    counts, skipped = collections.Counter(), []
    for test in tests(paths):
        counts[{"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")] += 1
        parts = "" if test["result"] == "SKIP" else " (in part)"
        for reason, times in reasons(test).items():
            skipped.append((name(test) + parts, reason + (f" ({times} times)" if times > 1 else "")))
            if parts:
                counts["skipped"] += times
    if skipped:
        width = max(len(title) for title, _ in skipped)
        print("skipped:")
        for title, reason in skipped:
            print(f"  {title:<{width}}  {reason}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return counts["failed"] > 0 or counts["passed"] == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
