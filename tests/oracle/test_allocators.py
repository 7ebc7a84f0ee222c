# SPDX-License-Identifier: MIT
"""The oracle programs with other allocators than the C library's: the trace must say the same as the ledger.

usage: test_allocators.py PROGRAM SOURCE LINKED...

LINKED are builds of the program that are linked with an allocator. All others are preloaded: behind the library,
where it sees what they do, and in front of it, where it can't and must say so.
"""
import os
import sys
import unittest
from pathlib import Path

from allocators import KNOWN, needed_library
from test_oracle import LONG, PROGRAM, THREADED, OneThread, SeveralThreads, observe
from tracing import LIBRARY, only_trace, run, scratch

LINKED = [os.path.abspath(path) for path in sys.argv[3:]]
SMALL = os.environ["TEST_SMALL_MALLOC"]
SEEDS = range(1, 11 if LONG else 2)
OPERATIONS = 40000


class Allocators(unittest.TestCase):
    def each_allocator(self, compare):
        """Calls it for each library, in a subtest."""
        for allocator in (*KNOWN, SMALL):
            with self.subTest(allocator=allocator):
                compare(SMALL if allocator == SMALL else needed_library(allocator))

    def compare(self, program=PROGRAM, **variables):
        for seed in SEEDS:
            if THREADED:
                ledger, rows, report = observe(seed, 4, OPERATIONS // 4, program=program, **variables)
                SeveralThreads.compare_counts(self, ledger, rows)
            else:
                ledger, rows, report = observe(seed, OPERATIONS, program=program, **variables)
                OneThread.compare_lines(self, ledger, rows)
            self.assertTrue(report["trace"]["complete"])
            self.assertEqual([note["key"] for note in report["trace"]["notes"] if note["loss"]], [])

    def test_preloaded_behind(self):
        self.each_allocator(lambda allocator: self.compare(LD_PRELOAD=f"{LIBRARY}:{allocator}"))

    def test_mappings_of_an_allocator_do_not_count(self):
        """With MTRACE_MMAP=1 what it hands out counts, and not where it has it from, too."""
        self.each_allocator(self.compare_mappings)

    def compare_mappings(self, allocator):
        arguments = [1, 2, 2000] if THREADED else [1, 8000]
        report = observe(*arguments, LD_PRELOAD=f"{LIBRARY}:{allocator}", MTRACE_MMAP="1")[2]
        self.assertEqual({row["kind"] for row in report["rows"]}, {"heap"})

    def test_linked(self):
        for program in LINKED:
            with self.subTest(program=program):
                self.compare(program=program)

    def test_preloaded_in_front(self):
        """All goes past the library: the program is none the worse, and the trace says whose fault it is."""
        self.each_allocator(self.compare_bypassed)

    def compare_bypassed(self, allocator):
        arguments = [PROGRAM, "1", "4", "2000"] if THREADED else [PROGRAM, "1", "8000"]
        with scratch() as directory:
            native = run(arguments, traced=False, LD_PRELOAD=allocator)
            traced = run(arguments, cwd=directory, LD_PRELOAD=f"{allocator}:{LIBRARY}")
            self.assertEqual((native.status, native.stderr), (0, b""))
            self.assertEqual((traced.status, traced.stderr), (0, b""))
            if not THREADED:
                self.assertEqual(native.stdout, traced.stdout)
            report = only_trace(directory).report()
            [note] = [note for note in report["trace"]["notes"] if note["key"] == "own_malloc"]
            self.assertIn(Path(allocator).name.split(".so")[0], note["text"])
            self.assertFalse(report["trace"]["complete"])


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1], defaultTest="Allocators")
