# SPDX-License-Identifier: MIT
"""MTRACE_SLACK=1: what the allocator gives beyond what is asked for, against what malloc_usable_size tells the program."""
import json
import unittest
from pathlib import Path

from allocators import KNOWN, needed_library
from programs import BUILT, Program
from tracing import LIBRARY, Trace, mtracer, run, scratch, traces

PROGRAM = Program("slack")


class Slack(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, *arguments, **variables):
        """{mark: (current, allocated)} as the program says"""
        result = run([PROGRAM.path, *arguments], cwd=self.directory, **variables)
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        rows = [line.split() for line in result.stdout.decode().splitlines()]
        return {mark: (int(current), int(allocated)) for mark, current, allocated in rows}

    def compare(self, wanted, trace):
        for mark, (current, allocated) in wanted.items():
            row = PROGRAM.row(trace, mark)
            self.assertEqual((row["current_slack_bytes"], row["allocated_slack_bytes"]), (current, allocated), mark)

    def test_allocators(self):
        for name in ("glibc", *KNOWN):
            with self.subTest(name=name):
                library = "" if name == "glibc" else needed_library(name)
                wanted = self.start(MTRACE_SLACK="1", MTRACE_OUT="t.mtrace", LD_PRELOAD=f"{LIBRARY}:{library}")
                self.assertGreater(wanted["malloc"][1], wanted["malloc"][0])
                self.compare(wanted, Trace(self.directory / "t.mtrace"))

    def test_child(self):
        self.compare(self.start("fork", MTRACE_SLACK="1"), traces(self.directory)[-1])
        self.assertEqual(len(traces(self.directory)), 2)

    def test_copies(self):
        """A packed trace has it, and a sum adds it up, also with a trace that has none."""
        one, other, none, packed, total = [self.directory / name for name in ("1", "2", "3", "packed", "sum")]
        wanted = self.start(MTRACE_SLACK="1", MTRACE_OUT=one)
        wanted_other = self.start(MTRACE_SLACK="1", MTRACE_OUT=other)
        self.start(MTRACE_OUT=none)
        self.assertEqual(mtracer("pack", "--out", packed, one).status, 0)
        self.compare(wanted, Trace(packed))
        self.assertEqual(mtracer("merge", "--out", total, none, one, other).status, 0)
        both = {mark: tuple(a + b for a, b in zip(wanted[mark], wanted_other[mark])) for mark in wanted}
        self.compare(both, Trace(total))

    def test_not_where_the_allocator_cannot_tell(self):
        """mallocx of an allocator that isn't malloc's: the C library must not be asked for its blocks."""
        companion = Path(LIBRARY).with_name("libmtrace_jemalloc.so")
        for verbose, said in (("0", r"\A\Z"), ("1", r"\Alibmtrace: MTRACE_SLACK[^\n]*\nlibmtrace: trace in [^\n]*\n\Z")):
            result = run([BUILT / "apart"], cwd=self.directory, MTRACE_SLACK="1", MTRACE_OUT="t.mtrace",
                         MTRACE_VERBOSE=verbose, LD_PRELOAD=f"{LIBRARY}:{companion}")
            self.assertEqual((result.status, result.stdout), (0, b"done\n"))
            self.assertRegex(result.stderr.decode(), said)
        self.assertNotIn("allocated_slack_bytes", Trace(self.directory / "t.mtrace").totals())

    def test_report(self):
        self.start(MTRACE_OUT="none")
        self.start(MTRACE_SLACK="1", MTRACE_OUT="some")
        result = mtracer("report", "--slack", self.directory / "some")
        self.assertEqual(result.status, 0)
        self.assertRegex(result.stdout.decode(), r"  temp +slack  slack in all  where ")
        self.assertNotIn(b"slack in all", mtracer("report", self.directory / "some").stdout)
        result = mtracer("report", "--slack", self.directory / "none")
        self.assertEqual((result.status, result.stdout), (2, b""))
        self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]*no slack was recorded[^\n]*\n\Z")
        rows = json.loads(mtracer("report", "--json", self.directory / "none").stdout)["rows"]
        self.assertNotIn("current_slack_bytes", rows[0])

    def test_run(self):
        out = self.directory / "t.mtrace"
        result = mtracer("run", "--quiet", "--slack", "--out", out, "--", PROGRAM.path)
        self.assertEqual(result.status, 0)
        self.assertIn("allocated_slack_bytes", Trace(out).totals())


if __name__ == "__main__":
    unittest.main(verbosity=2)
