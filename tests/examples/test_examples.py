# SPDX-License-Identifier: MIT
"""The demos of examples/, for other languages than C: what they say with the tracer and without, and what their traces say.

usage: test_examples.py rust|python     (TEST_EXAMPLES is the directory)
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from packages import missing
from tracing import mtracer, run, scratch, skip

EXAMPLES = Path(os.environ["TEST_EXAMPLES"])
PYTHON = "/usr/bin/python3"
CURRENT, PEAK = 40 * 10_000, 100 * 10_000  # what the demos say that they keep


class Demo:
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def run_demo(self, **options):
        result = run(self.command(), cwd=self.directory, **options)
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        return result.stdout.decode().splitlines()

    def test_without_the_tracer(self):
        self.assertEqual(self.run_demo(traced=False), ["not traced"])

    def test_with_the_tracer(self):
        memory, block, depth = self.run_demo(MTRACE_OUT="t.mtrace", MTRACE_START="0", MTRACE_DEPTH="20")
        current, peak = map(int, re.fullmatch(r"(\d+) bytes, (\d+) at the peak", memory).groups())
        self.check_memory(current - CURRENT, peak - PEAK)
        self.assertEqual(block, self.BLOCK)
        frames = int(re.fullmatch(r"allocated (\d+) calls deep", depth)[1])
        self.assertIn(frames, range(4, 21))
        self.check_growth(self.json("diff", "t.mtrace@empty", "t.mtrace@filled")["rows"])
        self.assertEqual(self.json("info", "t.mtrace")["lost_snapshots"], 0)

    def json(self, command, *traces):
        result = mtracer(command, *(self.directory / trace for trace in traces), "--json")
        self.assertIn(result.status, (0, 1), result)
        return json.loads(result.stdout)


class Rust(Demo, unittest.TestCase):
    """All that is allocated is the demo's own: to the byte."""
    BLOCK = "cache[7] is a block of 10000 bytes"

    def command(self):
        program = self.directory / "demo"
        subprocess.run(["rustc", "-g", "-D", "warnings", "-o", program, EXAMPLES / "demo.rs"], check=True)
        return [program]

    def check_memory(self, current, peak):
        self.assertEqual((current, peak), (0, 0))

    def check_growth(self, rows):
        [row] = rows
        line = next(number for number, text in enumerate((EXAMPLES / "demo.rs").read_text().splitlines(), 1) if "vec![1" in text)
        self.assertEqual((Path(row["file"]).name, row["line"]), ("demo.rs", line))
        self.assertEqual((row["delta_current_bytes"], row["delta_current_blocks"]), (PEAK, 100))


class Python(Demo, unittest.TestCase):
    """Every bytes object has a head, and the interpreter allocates for itself, too."""
    BLOCK = f"cache[7] is at the start of a block of {sys.getsizeof(b'') + 10_000} bytes"

    def command(self):
        return [PYTHON, "-B", EXAMPLES / "demo.py"]

    def check_memory(self, current, peak):
        self.assertIn(current, range(40 * 33, 20_000))
        self.assertIn(peak, range(100 * 33, 20_000))

    def check_growth(self, rows):
        self.assertIn((100 * (10_000 + 33), 100), {(row["delta_current_bytes"], row["delta_current_blocks"]) for row in rows})


if __name__ == "__main__":
    language = sys.argv.pop(1)
    if language == "rust" and not shutil.which("rustc"):
        skip(missing("rustc"))
    unittest.main(defaultTest=language.capitalize())
