# SPDX-License-Identifier: MIT
"""`report --by thread`: whose allocations are whose, by names that come early, late and in between."""
import json
import unittest

from programs import Program
from tracing import mtracer, run, scratch

PROGRAM = Program("named")
OWN = {"first": 1000, "last": 2000, "between": 3000, "brief": 10 * 300, "renamed": 500 + 700}


class Named(unittest.TestCase):
    def report(self, **variables):
        with scratch() as directory:
            result = run([PROGRAM.path], cwd=directory, MTRACE_OUT="t.mtrace", **variables)
            self.assertEqual((result.status, result.stderr), (0, b""), result)
            return json.loads(mtracer("report", "--by", "thread", "--json", directory / "t.mtrace").stdout)

    def test_names(self):
        rows = self.report()["rows"]
        self.assertTrue(all(row["one_name"] for row in rows), rows)
        self.assertEqual({row["thread"] for row in rows}, set(OWN))
        # One row for threads that took each other's place: one that the kernel hadn't done away with when the
        # next began leaves its own.
        allocations, threads = (
            {name: sum(row[key] for row in rows if row["thread"] == name) for name in OWN}
            for key in ("allocations", "threads"))
        for name, count in OWN.items():
            # Threads cost their creator some allocations of the C library's.
            more = 2 * 304 if name == "renamed" else 0
            self.assertIn(allocations[name], range(count, count + more + 1), name)
        self.assertEqual(threads, dict.fromkeys(OWN, 1) | {"brief": 300})

    def test_the_sum_is_the_program(self):
        report = self.report()
        for key in ("current_bytes", "current_blocks", "allocated_bytes", "allocations", "frees", "temporary"):
            self.assertEqual(sum(row[key] for row in report["rows"]), report["totals"][key], key)


if __name__ == "__main__":
    unittest.main(verbosity=2)
