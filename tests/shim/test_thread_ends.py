# SPDX-License-Identifier: MIT
"""Threads that end in every way: their last destructors count, and what they leave behind doesn't add up."""
import struct
import unittest

from programs import Program
from tracing import LONG, only_trace, run, same_behaviour, scratch

PROGRAM = Program("thread_ends")
AT_ONCE = 1000
LANES = 480 + 6 * 16  # the table's descriptor: FORMAT.md


class ThreadEnds(unittest.TestCase):
    def trace(self, directory, thousands):
        command = [PROGRAM.path, thousands]
        traced = run(command, cwd=directory, timeout=900)
        if thousands < 50:
            same_behaviour(run(command, traced=False, cwd=directory), traced)
        self.assertEqual((traced.status, traced.stdout, traced.stderr), (0, b"done\n", b""))
        return only_trace(directory)

    def test_ends(self):
        """A thousand threads at once, and many more one after the other: the trace holds those of one time."""
        sizes = []
        for thousands in (1, 1000 if LONG else 8):
            with self.subTest(thousands=thousands), scratch() as directory:
                trace = self.trace(directory, thousands)
                each = thousands * 500
                for line, count in {"given": each, "passed": each, "detached": each, "exiting": 1,
                                    "destructor": 4 * each + 8, "at once": AT_ONCE,
                                    "after all": AT_ONCE, "last": 1}.items():
                    self.assertEqual(PROGRAM.row(trace, line)["allocations"], count, line)
                self.assertIs(trace.report()["trace"]["complete"], True)
                sizes.append(trace.path.stat().st_size)
        self.assertLess(sizes[1], sizes[0] + (256 << 10))

    def test_held(self):
        """Threads that are about to end don't hide the states of those that have."""
        with scratch() as directory:
            result = run([PROGRAM.path, "held"], cwd=directory)
            self.assertEqual((result.status, result.stdout, result.stderr), (0, b"", b""))
            trace = only_trace(directory)
            self.assertEqual(PROGRAM.row(trace, "held")["allocations"], 40)
            lanes = struct.unpack_from("<Q", trace.path.read_bytes(), LANES + 8)[0]
            self.assertLessEqual(lanes, 101)  # the first thread and a hundred at once


if __name__ == "__main__":
    unittest.main(verbosity=2)
