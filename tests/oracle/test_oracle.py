# SPDX-License-Identifier: MIT
"""The trace of an oracle program against the ledger that the program kept itself.

usage: test_oracle.py PROGRAM SOURCE
"""
import json
import os
import sys
import unittest
from pathlib import Path

from tracing import LONG, MEASURES, only_trace, run, scratch

PROGRAM, SOURCE = map(os.path.abspath, sys.argv[1:3])
THREADED = "threads" in os.path.basename(SOURCE)
SEEDS = range(1, 41 if LONG else 5)


def observe(*arguments, program=PROGRAM, **variables):
    """(the program's ledger, the report's rows by line, the whole report)"""
    with scratch() as directory:
        result = run([program, *arguments], cwd=directory, timeout=300, **variables)
        if result.status != 0 or result.stderr:
            raise AssertionError(result)
        trace = only_trace(directory)
        rows = {str(line): row for line, row in trace.lines(SOURCE).items()}
        return json.loads(result.stdout), rows, trace.report()


class OneThread(unittest.TestCase):
    """Everything to the byte."""

    def compare_lines(self, ledger, rows):
        self.assertEqual(set(rows), set(ledger["lines"]))
        for line, wanted in ledger["lines"].items():
            exact = rows[line]["peak_is_exact"]
            for key in MEASURES:
                if key == "peak_bytes" and not exact:
                    self.assertGreaterEqual(rows[line][key], wanted[key], (line, key))
                else:
                    self.assertEqual(rows[line][key], wanted[key], (line, key))

    def test_seeds(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                ledger, rows, report = observe(seed, 150000)
                self.compare_lines(ledger, rows)
                totals = report["totals"]
                self.assertEqual(totals["peak_error_bytes"], 0)
                self.assertEqual(sum(row["at_peak_bytes"] for row in report["rows"]),
                                 totals["peak_bytes"])
                self.assertEqual(totals["peak_bytes"], ledger["peak_bytes"])
                self.assertEqual(totals["current_bytes"], ledger["current_bytes"])
                # The program allocates nowhere else, and the tracer must not seem to.
                self.assertEqual(totals["allocations"], sum(
                    line["allocations"] for line in ledger["lines"].values()))

    def test_peak_is_exact_for_one_instruction(self):
        """Only lines of more than one call instruction may have an inexact peak of their own."""
        _, rows, _ = observe(1, 20000)
        text = Path(SOURCE).read_text(encoding="utf-8").splitlines()
        plain = [row for line, row in rows.items() if text[int(line) - 1].startswith("POINT")
                 and "by_two_calls" not in text[int(line) - 1]]
        self.assertGreater(len(plain), 5)
        for row in plain:
            self.assertIs(row["peak_is_exact"], True, row)

    def test_same_run_same_report(self):
        one, two = observe(7, 20000)[2], observe(7, 20000)[2]
        for report in one, two:
            del report["trace"]
        self.assertEqual(one, two)


class SeveralThreads(unittest.TestCase):
    """Counts exact; peaks within the bound that the report names, and that bound within the promise."""

    EXACT = ("current_bytes", "current_blocks", "allocated_bytes", "allocations")

    def compare_counts(self, ledger, rows):
        for line, wanted in ledger["lines"].items():
            for key in SeveralThreads.EXACT:
                self.assertEqual(rows[line][key], wanted[key], (line, key))

    def compare(self, ledger, rows, report, threads):
        self.compare_counts(ledger, rows)
        totals = report["totals"]
        bound = totals["peak_error_bytes"]
        truth = ledger["peak_bytes"]
        self.assertLessEqual(bound, max(truth // 1000, 64 << 10))
        # What the C library allocates for the threads counts too.
        self.assertLessEqual(abs(totals["peak_bytes"] - truth), bound + 512 * max(threads, 8))
        self.assertLessEqual(abs(sum(row["at_peak_bytes"] for row in report["rows"])
                                 - totals["peak_bytes"]), bound)

    def compare_peak_line(self, ledger, rows, bound):
        line, wanted = max(ledger["lines"].items(), key=lambda item: item[1]["peak_bytes"])
        for key in ("peak_bytes", "at_peak_bytes"):
            self.assertLessEqual(abs(rows[line][key] - wanted[key]), bound, (line, key))

    def test_threads(self):
        for threads in (*range(1, 9), 16, 64, 200, 1000):
            for seed in SEEDS if LONG else [threads]:
                with self.subTest(threads=threads, seed=seed):
                    ledger, rows, report = observe(seed, threads, max(80000 // max(threads, 8), 250))
                    self.compare(ledger, rows, report, threads)
                    self.compare_peak_line(ledger, rows, report["totals"]["peak_error_bytes"])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1], defaultTest="SeveralThreads" if THREADED else "OneThread")
