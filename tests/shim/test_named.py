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
        report = self.report()
        rows = {row["thread"]: row for row in report["rows"]}
        self.assertEqual(set(rows), set(OWN))
        for name, count in OWN.items():
            # Threads cost their creator some allocations of the C library's.
            more = 2 * 304 if name == "renamed" else 0
            self.assertIn(rows[name]["allocations"], range(count, count + more + 1), name)
            self.assertTrue(rows[name]["one_name"])
        self.assertEqual(rows["brief"]["threads"], 300)
        self.assertEqual(rows["renamed"]["threads"], 1)

    def test_the_sum_is_the_program(self):
        report = self.report()
        for key in ("current_bytes", "current_blocks", "allocated_bytes", "allocations", "frees", "temporary"):
            self.assertEqual(sum(row[key] for row in report["rows"]), report["totals"][key], key)


if __name__ == "__main__":
    unittest.main()
