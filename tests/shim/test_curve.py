# SPDX-License-Identifier: MIT
"""The timeline of a program that keeps a ledger of its own: each point lies on its curve, and says when."""
import json
import os
import signal
import struct
import unittest
import xml.etree.ElementTree

from annotations import mark
from programs import Program
from tracing import LONG, Trace, mtracer, run, scratch

PROGRAM = Program("curve")
MARK = 1 << 63
CLOCKS = 2_000_000  # ns that the library's and the program's clocks may be apart, set at different moments
START_NS = 48  # in the header (FORMAT.md)


def start_ns(path):
    return struct.unpack_from("<Q", path.read_bytes(), START_NS)[0]


def state(point):
    return (point["current_bytes"], point["current_blocks"], point["allocated_bytes"], point["allocations"])


class Timeline(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.trace = self.directory / "t.mtrace"

    def start(self, *arguments, status=0, **variables):
        result = run([PROGRAM.path, *arguments], cwd=self.directory, MTRACE_OUT="t.mtrace", **variables)
        self.assertEqual((result.status, result.stdout, result.stderr), (status, b"", b""), result)

    def timeline(self, trace=None):
        result = mtracer("timeline", trace or self.trace, "--json")
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        return json.loads(result.stdout)

    def ledger(self):
        """({allocations: (state, earliest ns, latest ns)}, [state at each mark]), times since 1970"""
        records = list(struct.iter_unpack("<5Q", (self.directory / "ledger").read_bytes()))
        marks = [(live, blocks, all_, number - MARK) for number, live, blocks, all_, _ in records if number & MARK]
        events, before = {}, 0
        for number, live, blocks, all_, ns in records:
            if not number & MARK:
                events[number] = ((live, blocks, all_, number), before, ns)
            before = ns
        return events, marks

    def check_points(self, points, events, trace):
        """Regular points and peaks: states right after an allocation, at its time. What a large block's end leaves
        has no record: it is before the next allocation."""
        start = start_ns(trace)
        for point in points:
            wanted, earliest, latest = events[point["allocations"]]
            ends = point["kind"] == "regular" and state(point)[0] < wanted[0] - 30000
            if not ends:
                self.assertEqual(state(point), wanted, point)
                self.assertLessEqual(start + point["ns"], latest + CLOCKS, point)
            self.assertGreaterEqual(start + point["ns"], earliest - CLOCKS, point)
            rows = sum(row["current_bytes"] for row in point["rows"])
            self.assertLessEqual(rows, point["current_bytes"])
            self.assertGreaterEqual(rows, point["current_bytes"] * 0.99)

    def check_curve(self, line):
        events, marks = self.ledger()
        ofkind = {kind: [p for p in line["points"] if p["kind"] == kind] for kind in ("regular", "peak", "mark", "end")}
        self.check_points(ofkind["regular"] + ofkind["peak"], events, self.trace)
        self.assertGreaterEqual(len(ofkind["regular"]), 6)
        self.assertEqual([state(p) for p in ofkind["mark"]], marks)
        self.assertEqual([m["label"] for m in line["marks"]], ["steps", "ramp", 'idle <&"> é'])
        # Every new peak that is 1 % higher than the last.
        highest, wanted = 0, []
        for (live, _, _, number), _, _ in events.values():
            if live > highest + max(highest // 100, 1024):
                wanted.append(number)
                highest = live
        self.assertEqual([p["allocations"] for p in ofkind["peak"]], wanted)
        peak = max(events.values(), key=lambda event: event[0][0])
        self.assertEqual(line["peak"]["bytes"], peak[0][0])
        self.assertGreaterEqual(start_ns(self.trace) + line["peak"]["ns"], peak[1] - CLOCKS)
        self.assertLessEqual(start_ns(self.trace) + line["peak"]["ns"], peak[2] + CLOCKS)
        top = line["peak"]["stack"][0]
        self.assertEqual((top["function"], top["line"]), ("spike", mark(PROGRAM.source, "spike")))
        self.assertEqual(line["peak"]["thread"], "curve")
        # The spike is over when it is, not when the program goes on.
        after = line["points"][line["points"].index(ofkind["peak"][-1]) + 1]
        self.assertLess(after["current_bytes"], 1_000_000)
        self.assertLess(after["ns"] - line["peak"]["ns"], 15_000_000)
        return ofkind

    def test_curve(self):
        self.start("curve", "ledger")
        line = self.timeline()
        kinds = self.check_curve(line)
        self.assertEqual(len(kinds["end"]), 1)
        events, _ = self.ledger()
        self.assertEqual(state(kinds["end"][0]), events[max(events)][0])
        resident = [p["rss_bytes"] for p in line["points"]]
        self.assertTrue(all(n and n > 500_000 for n in resident), resident)
        self.assertTrue(all(p["threads"] == 1 for p in line["points"]))

    def test_killed(self):
        self.start("killed", "ledger", status=-signal.SIGKILL)
        kinds = self.check_curve(self.timeline())
        events, _ = self.ledger()
        self.assertEqual(state(kinds["end"][0]), events[max(events)][0])  # the last state, which the trace is

    def test_packed(self):
        self.start("curve", "ledger")
        whole = self.timeline()
        self.assertEqual(mtracer("pack", self.trace, "--quiet", "--out", self.directory / "p.zst").status, 0)
        self.assertEqual(mtracer("merge", self.trace, "--out", self.directory / "m.mtrace").status, 0)
        for other in ("p.zst", "m.mtrace"):
            line = self.timeline(self.directory / other)
            for key in ("points", "marks", "peak"):
                self.assertEqual(line[key], whole[key], other)

    def test_fork(self):
        self.start("fork", "ledger")
        found = sorted(self.directory.glob("t.mtrace*"))
        self.assertEqual(len(found), 2)
        [child] = [t for t in found if t != self.trace]
        events, _ = self.ledger()
        points = [p for p in self.timeline(child)["points"] if p["kind"] != "end"]
        self.assertGreaterEqual(len(points), 5)
        self.check_points(points, events, child)
        self.assertEqual(len([p for p in self.timeline()["points"] if p["kind"] == "peak"]), 20)

    def test_halving(self):
        """When the table is full every other point goes, and what is left lies on the curve."""
        for count in (10_000_000, *([100_000_000] if LONG else [])):
            self.start("teeth", str(count), MTRACE_TIMELINE="64")
            points = [p for p in self.timeline()["points"] if p["kind"] != "end"]
            self.assertLessEqual(len(points), 64)
            self.assertGreaterEqual(len(points), 24)
            for point in points:
                live = 64 * ((point["allocations"] - 1) % 1000 + 1)
                self.assertEqual(state(point)[:3], (live, live // 64, 64 * point["allocations"]))
            late = [p["allocations"] for p in points if p["allocations"] > count // 10]
            gaps = [b - a for a, b in zip(late, late[1:])]
            self.assertLessEqual(max(gaps), 4 * count // 64)
            os.unlink(self.trace)

    def test_none(self):
        self.start("teeth", "10000", MTRACE_TIMELINE="0")
        result = mtracer("timeline", self.trace)
        self.assertEqual(result.status, 2)
        self.assertEqual(result.stderr.decode(), f"mtracer: {self.trace}: no timeline was recorded "
                                                 "(MTRACE_TIMELINE=0, or nothing was allocated)\n")

    def test_marks(self):
        """More than there is room for, and labels that are too long."""
        self.start("marks", "100", MTRACE_TIMELINE="64")
        line = self.timeline()
        labels = [m["label"] for m in line["marks"]]
        self.assertEqual([label.split("x")[0].strip() for label in labels], [f"mark {i}" for i in range(32)])
        self.assertEqual(max(map(len, labels)), 255)
        self.assertEqual(line["lost_marks"], 68)

    def test_threads(self):
        self.start("threads", "300000")
        line = self.timeline()
        points = line["points"]
        error = line["totals"]["peak_error_bytes"]
        self.assertLessEqual(error, 65536)
        self.assertGreaterEqual(len(points), 20)
        self.assertGreaterEqual(max(p["threads"] for p in points), 3)
        for point in points:
            self.assertLessEqual(point["current_bytes"], 4 * 100 * 1100 + 3000 + error)
        for before, after in zip(points, points[1:]):
            self.assertLessEqual(before["ns"], after["ns"])
            self.assertLessEqual(before["allocations"], after["allocations"])
        self.assertEqual(points[-1]["allocations"], line["totals"]["allocations"])
        self.assertLessEqual(abs(points[-1]["current_bytes"] - line["totals"]["current_bytes"]), error)
        self.assertEqual(line["peak"]["stack"][0]["function"], "work")

    def test_picture(self):
        self.start("curve", "ledger")
        picture = self.directory / "t.svg"
        for _ in range(2):  # its own file may be replaced
            self.assertEqual(mtracer("timeline", self.trace, "--svg", picture).status, 0)
        root = xml.etree.ElementTree.parse(picture).getroot()
        text = "".join(root.itertext())
        for wanted in ("spike (curve.c:", 'idle <&"> é', "resident memory", "prefers-color-scheme", "peak 29.1 MiB"):
            self.assertIn(wanted, text)
        self.assertNotIn("href", picture.read_text())
        result = mtracer("timeline", self.trace, "--svg", self.trace)
        self.assertEqual(result.status, 2)
        self.assertIn(b"not overwritten", result.stderr)
        self.assertEqual(Trace(self.trace).state(), "exited")


if __name__ == "__main__":
    unittest.main()
