# SPDX-License-Identifier: MIT
"""What lost blocks hold: as the source says, and beside memcheck's direct and indirect bytes."""
import json
import re
import shutil
import unittest
from xml.etree import ElementTree

from packages import missing
from programs import BUILT, SOURCES
from tracing import mtracer, run, scratch
from verdicts import VALGRIND, case_of

# In a circle that something leads into from outside, memcheck takes the block that it comes to first for lost, too.
MEMCHECK = {"circle_from_a_later_one": ((80, 2), 64)}


def expected():
    """{case: (bytes and blocks that are lost, bytes and blocks that these hold)}."""
    cases = {}
    for line in (SOURCES / "holding.c").read_text().splitlines():
        found = re.match(r"CASE (\w+)\(void\) // lost (\d+)/(\d+)(?:, holds (\d+)/(\d+))?", line)
        if found:
            sizes = [int(size or 0) for size in found.groups()[1:]]
            cases[found.group(1)] = (tuple(sizes[:2]), tuple(sizes[2:]))
    return cases


def add(cases, case, lost, held):
    old = cases.get(case, ((0, 0), (0, 0)))
    cases[case] = tuple(tuple(a + b for a, b in zip(*pair)) for pair in zip(old, (lost, held)))


def by_mtracer(*options):
    with scratch() as directory:
        trace = directory / "t"
        ended = mtracer("run", "-q", "-o", trace, "--", BUILT / "holding")
        assert ended.status == 0, ended
        return json.loads(mtracer("leaks", "--json", "--no-builtin", *options, trace).stdout)


def cases_of(report, names):
    cases = {}
    for row in report["rows"]:
        for stack in row["stacks"] or [row]:
            case = case_of([frame["function"] for frame in stack["stack"]], names)
            lost = stack["current_bytes"], stack["current_blocks"]
            add(cases, case, lost, (stack["held_bytes"] - lost[0], stack["held_blocks"] - lost[1]))
    return cases


class Holding(unittest.TestCase):
    maxDiff = None

    def test_cases(self):
        for by in "line", "site":
            report = by_mtracer("--by", by)
            self.assertEqual(cases_of(report, expected()), expected())
            held = sum(row["held_bytes"] for row in report["rows"])
            self.assertEqual(held, report["leaks"]["lost_bytes"] + report["leaks"]["indirect_bytes"])
            self.assertEqual(held, report["totals"]["held"])
            sizes = [row["held_bytes"] for row in report["rows"]]
            self.assertEqual(sizes, sorted(sizes, reverse=True))
            for row in report["rows"]:
                self.assertEqual(sum(part["bytes"] for part in row["holds"]), row["held_bytes"] - row["current_bytes"])

    def test_runs_are_equal(self):
        def rows():
            return [[row["line"], row["current_bytes"], row["held_bytes"], row["holds"]] for row in by_mtracer()["rows"]]

        first = rows()
        for _ in range(5):
            self.assertEqual(rows(), first)

    @unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
    def test_memcheck(self):
        cases = {}
        with scratch() as directory:
            xml = directory / "xml"
            ended = run([*VALGRIND, "--xml=yes", f"--xml-file={xml}", "--num-callers=50",
                         BUILT / "holding"], traced=False, timeout=280)
            self.assertEqual(ended.status, 0, ended)
            for error in ElementTree.parse(xml).getroot().iter("error"):
                if error.findtext("kind") != "Leak_DefinitelyLost":
                    continue
                case = case_of([f.findtext("fn") for f in error.find("stack").iter("frame")], expected())
                text = error.findtext("xwhat/text").replace(",", "")
                found = re.search(r"\((\d+) direct (\d+) indirect\)", text)
                lost = int(found.group(1)) if found else int(re.search(r"(\d+) bytes", text).group(1))
                add(cases, case, (lost, int(error.findtext("xwhat/leakedblocks"))), (int(found.group(2)) if found else 0, 0))
        got = {case: (lost, held[0]) for case, (lost, held) in cases.items()}
        self.assertEqual(got, {case: MEMCHECK.get(case, (lost, held[0])) for case, (lost, held) in expected().items()})


unittest.main(verbosity=2)
