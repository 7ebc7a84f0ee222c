# SPDX-License-Identifier: MIT
"""The bench works: a quick run of some cases gives plausible figures. It asserts nothing about speed."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tracers import heaptrack_home  # noqa: E402


def bench(*arguments):
    return subprocess.run([sys.executable, HERE / "bench.py", *arguments], capture_output=True,
                          text=True, check=False, timeout=250)


class Bench(unittest.TestCase):
    def test_quick(self):
        done = bench("--quick", "--json", "loop-5x.", "stl", "larson-8", "xmalloc-2", "blocks-64-of-16000")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        rows = {row["case"]: row for row in result["rows"]}
        self.assertEqual(set(rows), {"loop-5x1", "loop-5x2", "stl", "larson-8", "xmalloc-2", "blocks-64-of-16000"})
        self.assertGreaterEqual(rows["loop-5x2"]["allocations"],
                                2 * rows["loop-5x1"]["allocations"] - 100)
        for row in rows.values():
            for key in ("native_s", "null_cpu", "mtrace_cpu", "mtrace_rss", "mtrace_trace_bytes",
                        "mtrace_print_s", "mtrace_heap_peak_bytes"):
                self.assertGreater(row[key], 0, key)
            self.assertEqual("heaptrack_cpu" in row, heaptrack_home() is not None)
        self.assertIn("loop-5", result["scaling"])

    def test_table(self):
        done = bench("--quick", "--stopped", "--sampled", "--without", "heaptrack", "loop-20x1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("loop-20x1", done.stdout)

    def test_processes(self):
        done = bench("--quick", "--json", "start-true", "shell-true", "--without", "heaptrack")
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in json.loads(done.stdout)["rows"]:
            self.assertGreater(row["native_us"], 0)
            self.assertGreater(row["mtrace_added_us"], 0)
            self.assertGreater(row["mtrace_each_bytes"], 8192)

    def test_unknown_case(self):
        self.assertNotEqual(bench("no-such-case").returncode, 0)


if __name__ == "__main__":
    assert os.environ.get("TEST_LIBRARY")
    unittest.main(verbosity=2)
