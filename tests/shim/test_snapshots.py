# SPDX-License-Identifier: MIT
"""Snapshots of programs that keep a ledger: each is the state of its moment, and two tell what was between."""
import ctypes
import itertools
import json
import os
import random
import signal
import subprocess
import time
import tracemalloc
import unittest
from pathlib import Path

from annotations import mark
from programs import Program
from tracing import LONG, environment, mtracer, run, scratch

PROGRAM = Program("snapshots")
LINES = [mark(PROGRAM.source, str(i)) for i in range(4)]
MEASURES = ("current_bytes", "current_blocks", "allocated_bytes", "allocations", "temporary", "peak_bytes",
            "at_peak_bytes")
SUMS = MEASURES[:5]


def read(*arguments):
    result = mtracer(*arguments, "--json")
    if result.status not in (0, 1) or result.stderr:
        raise AssertionError(result)
    return json.loads(result.stdout)


def rows_at(trace, moment):
    """({line: measures}, totals) of the program's own lines"""
    report = read("report", f"{trace}@{moment}")
    rows = {row["line"]: tuple(row[key] for key in MEASURES)
            for row in report["rows"] if row["file"] and row["file"].endswith("snapshots.c")}
    return rows, report


def ledger_of(text):
    """{label: {line: measures}} as the program printed it; lines that had nothing yet are left out"""
    ledger = {}
    for record in text.decode().splitlines():
        label, line, *numbers = record.split()
        measures = tuple(map(int, numbers))
        ledger.setdefault(label, {})
        if any(measures):
            ledger[label][LINES[int(line)]] = measures
    return ledger


class Snapshots(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.trace = self.directory / "t.mtrace"

    def start(self, *arguments, status=0, **variables):
        result = run([PROGRAM.path, *arguments], cwd=self.directory, MTRACE_OUT="t.mtrace", **variables)
        self.assertEqual((result.status, result.stderr), (status, b""), result)
        return result.stdout

    def check_ledger(self, ledger, trace=None):
        trace = trace or self.trace
        for label, lines in ledger.items():
            rows, report = rows_at(trace, label)
            self.assertEqual(rows, lines, label)
            self.assertEqual(report["trace"]["moment"]["label"], label)
            self.check_sums(report)

    def check_sums(self, report):
        for key in SUMS:
            self.assertEqual(sum(row[key] for row in report["rows"]), report["totals"][key], key)
        self.assertEqual(sum(row["at_peak_bytes"] for row in report["rows"]), report["totals"]["peak_bytes"])

    def check_differences(self, ledger):
        """Between any two: what the ledger says, line by line, to the byte."""
        for old, new in itertools.combinations(ledger, 2):
            rows = {row["line"]: row for row in read("diff", f"{self.trace}@{old}", f"{self.trace}@{new}")["rows"]}
            for line in LINES:
                before, after = (ledger[label].get(line, (0,) * len(MEASURES)) for label in (old, new))
                if before == after:
                    self.assertNotIn(line, rows)
                    continue
                for key, a, b in zip(MEASURES, before, after):
                    self.assertEqual([rows[line][f"{part}_{key}"] for part in ("old", "new", "delta")],
                                     [a, b, b - a], (old, new, line, key))

    def test_ledger(self):
        ledger = ledger_of(self.start("ledger"))
        self.assertEqual(len(ledger), 6)
        self.check_ledger(ledger)
        self.check_differences(ledger)
        # What didn't change has no rows of its own.
        info = read("info", self.trace)
        self.assertEqual([s["label"] for s in info["snapshots"]], list(ledger))
        tables = {table["name"]: table["records"] for table in info["tables"]}
        self.assertLess(tables["snapshot rows"], 30)
        self.assertEqual(info["lost_snapshots"], 0)
        self.assertEqual([s["label"] for s in read("timeline", self.trace)["snapshots"]], list(ledger))

    def test_killed(self):
        ledger = ledger_of(self.start("killed", status=-signal.SIGKILL))
        self.check_ledger(ledger)

    def test_packed(self):
        ledger = ledger_of(self.start("ledger"))
        for name, *command in (("p.zst", "pack"), ("p.mtrace", "pack", "--plain"), ("m.mtrace", "merge")):
            other = self.directory / name
            self.assertEqual(mtracer(*command, self.trace, "--quiet", "--out", other).status, 0)
            self.check_ledger(ledger, other)

    def test_without_points_and_without_any(self):
        ledger = ledger_of(self.start("ledger", MTRACE_TIMELINE="0"))
        self.check_ledger(ledger)
        times = [s["ns"] for s in read("info", self.trace)["snapshots"]]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(times))
        self.start("many", "3", MTRACE_SNAPSHOTS="0")
        self.assertEqual(read("info", self.trace)["lost_snapshots"], 3)

    def test_nothing_is_paid_for_none(self):
        self.start("many", "1", MTRACE_SNAPSHOTS="0")
        without = read("info", self.trace)
        self.assertEqual([t["bytes"] for t in without["tables"] if t["name"].startswith("snapshot")], [0, 0])
        size = os.stat(self.trace).st_size
        self.start("many", "1")
        self.assertEqual(os.stat(self.trace).st_size - size, 2 * 4096)

    def test_fork(self):
        said = self.start("fork").splitlines()
        found = sorted(self.directory.glob("t.mtrace*"))
        self.assertEqual(len(found), 2)
        [child] = [t for t in found if t != self.trace]
        # The child prints first: what both had before the fork, then its own.
        ends = [i for i, line in enumerate(said) if line.startswith(b"before 0 ")]
        self.assertEqual(len(ends), 2)
        mine, parents = ledger_of(b"\n".join(said[:ends[1]])), ledger_of(b"\n".join(said[ends[1]:]))
        self.check_ledger(parents)
        self.assertEqual(sorted(parents), ["before", "forking", "parent"])
        [label] = [s["label"] for s in read("info", child)["snapshots"]]
        self.assertEqual(label, "child")
        rows, report = rows_at(child, "child")
        self.check_sums(report)
        for line, measures in mine["child"].items():  # a line's own peak may have been another child's fork ago
            self.assertEqual(rows[line], measures)

    def test_cleared(self):
        """What is forgotten later stays in the snapshots from before."""
        ledger = ledger_of(self.start("cleared"))
        self.assertEqual(sorted(ledger), ["after", "before", "nothing"])
        self.check_ledger(ledger)

    def test_full(self):
        """One too many isn't kept, none is dropped for it, and it is counted."""
        said = self.start("many", "70")
        self.assertEqual(said, b"1\n" * 64 + b"0\n" * 6)
        info = read("info", self.trace)
        self.assertEqual([s["label"] for s in info["snapshots"]], [f"n{i}" for i in range(64)])
        self.assertEqual([s["allocations"] for s in info["snapshots"]], list(range(1, 65)))
        self.assertEqual(info["lost_snapshots"], 6)
        self.assertIn("lost_snapshots", {note["key"] for note in info["trace"]["notes"]})
        self.assertEqual(self.start("many", "5", MTRACE_SNAPSHOTS="3"), b"1\n1\n1\n0\n0\n")

    def test_labels(self):
        self.assertEqual(self.start("labels"), b"1\n1\n0\n0\n1\n1\n")
        labels = [s["label"] for s in read("info", self.trace)["snapshots"]]
        self.assertEqual(labels, ["twice", "twice", "x" * 255, "a@b \n \x1b[31m"])
        report = read("report", f"{self.trace}@twice")
        self.assertEqual(report["totals"]["current_bytes"], 200)  # the last of two
        self.assertEqual(read("report", f"{self.trace}@{labels[3]}")["totals"]["allocations"], 2)
        result = mtracer("report", f"{self.trace}@none")
        self.assertEqual((result.status, result.stdout, result.stderr.count(b"\n")), (2, b"", 1))
        self.assertNotIn(b"\x1b", result.stderr)
        self.assertIn(b"'twice'" if b"did you mean" in result.stderr else b"twice, ", result.stderr)

    def test_threads(self):
        """While others allocate: the rows add up to the snapshot's totals, and what is counted only grows."""
        self.start("threads")
        info = read("info", self.trace)
        self.assertEqual(len(info["snapshots"]), 31)
        grow = ("allocated_bytes", "allocations", "temporary", "ns")
        before = dict.fromkeys(grow, 0)
        for snapshot in info["snapshots"]:
            for key in grow:
                self.assertGreaterEqual(snapshot[key], before[key])
            before = snapshot
            report = read("report", f"{self.trace}@{snapshot['label']}")
            self.check_sums(report)
            for key in SUMS:
                self.assertEqual(report["totals"][key], snapshot[key], key)
            self.assertLessEqual(report["totals"]["current_bytes"], 4 * 64 * 5016 + 4096)
        end = read("report", self.trace)["totals"]
        self.assertEqual({key: before[key] for key in SUMS}, {key: end[key] for key in SUMS})

    def test_killed_under_load(self):
        """At any moment, also in the middle of one: what is there is whole."""
        rounds = 30 if LONG else 5
        for i in range(rounds):
            process = subprocess.Popen([PROGRAM.path, "busy"], stdout=subprocess.PIPE, cwd=self.directory,
                                       env=environment(True, MTRACE_OUT="t.mtrace", MTRACE_SNAPSHOTS="100000"))
            process.stdout.readline()
            time.sleep(random.random() / 20)
            process.kill()
            process.wait()
            process.stdout.close()
            info = read("info", self.trace)
            self.assertGreaterEqual(len(info["snapshots"]), 30)
            for snapshot in info["snapshots"][-1:] + random.sample(info["snapshots"], 3):
                report = read("report", f"{self.trace}@{snapshot['label']}")
                self.check_sums(report)
                self.assertEqual({key: report["totals"][key] for key in SUMS}, {key: snapshot[key] for key in SUMS})
            os.unlink(self.trace)

    def test_read_while_they_are_taken(self):
        process = subprocess.Popen([PROGRAM.path, "busy"], stdout=subprocess.PIPE, cwd=self.directory,
                                   env=environment(True, MTRACE_OUT="t.mtrace", MTRACE_SNAPSHOTS="100000"))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        process.stdout.readline()
        for i in range(30):
            report = read("report", f"{process.pid}@t{i}")
            self.check_sums(report)
            self.assertEqual(report["trace"]["state"], "running")

    def test_signals(self):
        ledger = ledger_of(self.start("signals", MTRACE_SNAPSHOTS="10000"))
        rows, report = rows_at(self.trace, "calm")
        self.assertEqual(rows, ledger["calm"])
        self.check_sums(report)
        info = read("info", self.trace)
        self.assertGreaterEqual(len(info["snapshots"]), 50)  # those that interrupted the library itself are lost
        self.assertEqual(info["trace"]["lost"]["reentrant"], 0)
        self.assertTrue(info["trace"]["complete"])

    def test_sampled(self):
        self.start("twin", MTRACE_SAMPLE="512")
        for moment in "old", "new":
            report = read("report", f"{self.trace}@{moment}")
            self.check_sums(report)
            self.assertIn("allocations_error", report["totals"])
        end = read("report", self.trace)["totals"]
        self.assertGreater(end["allocations"], read("report", f"{self.trace}@new")["totals"]["allocations"])

    def test_small_space(self):
        """Where the trace can't grow the program goes on, and the snapshots are counted."""
        result = run(["sh", "-c", f"ulimit -f 90; trap '' XFSZ; exec {PROGRAM.path} many 200"], cwd=self.directory,
                     MTRACE_OUT="%n.mtrace", MTRACE_SNAPSHOTS="1000")
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        info = read("info", self.directory / "snapshots.mtrace")
        kept = result.stdout.count(b"1\n")
        self.assertEqual(len(info["snapshots"]), kept)
        self.assertEqual(info["lost_snapshots"], 200 - kept)


# ---- the same by Python's tracemalloc


def twin():
    """What run_twin() does, with blocks that tracemalloc sees as they are: ({line: name}, old, new)"""
    api = ctypes.pythonapi
    api.PyMem_RawMalloc.restype, api.PyMem_RawMalloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    api.PyMem_RawFree.argtypes = [ctypes.c_void_p]
    blocks = (ctypes.c_void_p * 100)()  # no objects, which tracemalloc would see, too

    def a(start, end, size):
        for i in range(start, end):
            blocks[i] = api.PyMem_RawMalloc(size)  # line: twin a

    def b(start, end, size):
        for i in range(start, end):
            blocks[i] = api.PyMem_RawMalloc(size)  # line: twin b

    def c(start, end, size):
        for i in range(start, end):
            blocks[i] = api.PyMem_RawMalloc(size)  # line: twin c

    tracemalloc.start()
    a(0, 10, 1000)
    b(10, 40, 333)
    old = tracemalloc.take_snapshot()
    for i in range(5, 30):
        api.PyMem_RawFree(blocks[i])
        blocks[i] = None
    a(5, 8, 64)
    c(50, 90, 177)
    b(40, 43, 4096)
    new = tracemalloc.take_snapshot()
    tracemalloc.stop()
    return old, new


class Twin(unittest.TestCase):
    def test_compare_to(self):
        """take_snapshot() and compare_to() say of the same allocations what ours do, in the same order."""
        names = {}
        for number, line in enumerate(Path(__file__).read_text().splitlines(), 1):
            if "# line: twin " in line:
                names[number] = line.split("# line: ")[1].strip()
        old, new = twin()
        theirs = []
        for s in new.compare_to(old, "lineno"):
            frame = s.traceback[0]
            if frame.filename == __file__ and frame.lineno in names:
                theirs.append((names[frame.lineno], s))
        with scratch() as directory:
            result = run([PROGRAM.path, "twin"], cwd=directory, MTRACE_OUT="t.mtrace")
            self.assertEqual((result.status, result.stderr), (0, b""))
            trace = directory / "t.mtrace"
            lines = {mark(PROGRAM.source, f"twin {x}"): f"twin {x}" for x in "abc"}
            ours = [(lines[row["line"]], row) for row in read("diff", f"{trace}@old", f"{trace}@new")["rows"]]
        self.assertEqual([name for name, _ in ours], [name for name, _ in theirs])
        for (name, s), (_, row) in zip(theirs, ours):
            self.assertEqual((row["new_current_blocks"], row["delta_current_blocks"]), (s.count, s.count_diff), name)
            self.assertEqual((row["new_current_bytes"], row["delta_current_bytes"]), (s.size, s.size_diff), name)


if __name__ == "__main__":
    unittest.main()
