# SPDX-License-Identifier: MIT
"""Each case of each program is what its source says, and so is the sum that the verdict gives."""
import unittest

from tracing import scratch
from verdicts import PROGRAMS, by_mtracer, expected


class Kinds(unittest.TestCase):
    maxDiff = None

    def check(self, program):
        with scratch() as directory:
            got, report = by_mtracer(program, directory)
        self.assertEqual(got, expected(program))
        self.assertGreater(len(got), 1)
        lost = sum(v.get("lost", [0])[0] for v in got.values())
        self.assertEqual(report["leaks"]["lost_bytes"], lost, "something else is lost")
        total = sum(row["current_bytes"] for row in report["rows"])
        self.assertEqual(total, report["totals"]["current_bytes"], "blocks without verdict")


for name in PROGRAMS:
    setattr(Kinds, f"test_{name}", lambda self, name=name: self.check(name))

unittest.main(verbosity=2)
